"""Floor 5: run folders as tables: DataFrames, CSV and Parquet files, and SQL by URL.

In come run folders or the URL of a database. Calls the floors below for errors alone: a record is
read as it lies on disk, without torch.
"""

from didact._core.optional import expect

expect("pandas", extra="records")

from didact.runs.files import write_file
from didact.runs.folders import read_runs
from didact.runs.sql import read_sql, write_sql
from didact.runs.tables import TABLES, Records

__all__ = ["TABLES", "Records", "read_runs", "read_sql", "write_file", "write_sql"]
