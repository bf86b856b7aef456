"""What the abuse cases in a browser share with the journeys: one running portal, and Chromium."""

from tests.journeys.conftest import chromium, portal

__all__ = ["chromium", "portal"]
