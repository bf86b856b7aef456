"""The one reader of tables: bytes become rows of text. What the columns mean is for each capability to say."""
