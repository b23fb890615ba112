"""HTTP, proxies and certificates."""
