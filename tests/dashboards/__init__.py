"""Tests of the dashboards: findings, charts and pages."""
