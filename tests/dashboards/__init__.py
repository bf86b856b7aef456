"""Tests of the dashboards: the words of a comparison, its chart, and the pages made of them."""
