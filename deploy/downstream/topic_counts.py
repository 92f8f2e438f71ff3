"""A flow of your own that follows copydesk: count the topics of each day of articles that was published.

It knows nothing of copydesk but where the dataset lies, here in a folder, and what its columns are called; prefect.yaml
beside it says which event starts it.
"""

from pathlib import Path

import duckdb
from prefect import flow, get_run_logger

COUNT = """
    SELECT topic.label AS topic, count(*) AS articles
    FROM (SELECT unnest(topics) AS topic FROM read_parquet($part))
    GROUP BY ALL ORDER BY articles DESC, topic
"""


@flow(flow_run_name="topics of {day}")
def count_topics(day: str, root: str) -> str:
    """Write how many articles of a day are about each topic to `topic_counts/<day>.csv` beside the dataset's tables."""
    part = Path(root, "articles", f"published_date={day}", "part-000.parquet")
    counts = Path(root, "topic_counts", f"{day}.csv")
    counts.parent.mkdir(exist_ok=True)
    table = duckdb.sql(COUNT, params={"part": str(part)})
    get_run_logger().info("%s: %d topics.", day, len(table))
    table.write_csv(str(counts))
    return str(counts)
