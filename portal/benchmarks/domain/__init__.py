"""What benchmarks know that needs no table: published files, their periods, figures and comparisons."""
