"""Archives: folders and Parquet of photos, restored on Ray Data."""
