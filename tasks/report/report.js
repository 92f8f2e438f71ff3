"use strict";
// The page reads without this; it only adds a filter over the corrections.
const form = document.getElementById("filter");
if (form) {
  const articles = [...document.querySelectorAll("article.corrected")].map((node) => ({
    node,
    source: node.dataset.source,
    corrections: [...node.querySelectorAll("ol > li")].map((item) => ({
      item,
      rule: item.dataset.rule,
      action: item.className,
      words: item.textContent.toLowerCase(),
    })),
  }));
  const total = articles.reduce((sum, article) => sum + article.corrections.length, 0);

  const apply = () => {
    const rule = form.elements.rule.value;
    const source = form.elements.source.value;
    const action = form.elements.action.value;
    const words = form.elements.words.value.trim().toLowerCase();
    let shown = 0;
    for (const article of articles) {
      let here = 0;
      for (const correction of article.corrections) {
        const matches =
          (!source || article.source === source) &&
          (!rule || correction.rule === rule) &&
          (!action || correction.action === action) &&
          correction.words.includes(words);
        correction.item.hidden = !matches;
        here += matches;
      }
      article.node.hidden = !here;
      shown += here;
    }
    document.getElementById("shown").value = `${shown} of ${total} shown`;
    document.getElementById("nothing").hidden = shown > 0;
  };

  form.hidden = false;
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  apply();
}
