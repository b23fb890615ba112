"""Where things are on a server: paths, the sub-protocol and the ids that authorization uses; nothing is opened here.

Source: `protocol` sections 1.2, 1.3 and 2.
"""

from __future__ import annotations

from typing import Final

TOKEN: Final = "/bridge/api/client/v1/oauth/token"
OAUTH_WEB_TOKEN: Final = "/api/v4/oauth2/token"
OAUTH_CODE: Final = "/bridge/api/client/v1/auth/web_rest_api_token"
OAUTH_TOKEN: Final = "/bridge/api/client/v1/auth/token"
SOCKET: Final = "/websocket/chat_bot/"
FILES: Final = "/bridge/api/client/v1/files"
SERVER: Final = "/api/v4/server"
CONNECTS: Final = "/api/v4/endpoints/connects"
VSSTATUS: Final = "/vsstatus"

SUBPROTOCOL: Final = "json.v1"
UPLOAD_TASK_HEADER: Final = "Upload-Task-Id"
PASSWORD_CLIENT_ID: Final = "chat_bot"
TOKEN_TYPE: Final = "JWT"

HTTPS_PORT: Final = 443
BRIDGE_PORT: Final = 4309


def bare_id(user_id: str) -> str:
    """Return a user id without its `/resource`."""
    return user_id.partition("/")[0]
