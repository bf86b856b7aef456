"""The schema the migrations make is the schema the models describe."""
