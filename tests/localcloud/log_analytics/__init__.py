"""Log Analytics on api.loganalytics.io: queries of a workspace."""
