"""Tests of archives: export, scan, and SQL over both the live record and archives."""
