"""The HTTP side of the practice server: tokens, uploads, downloads, version, faults; the socket is elsewhere.

Source: `protocol` sections 1.7, 2 and 8.
"""

from __future__ import annotations

import ipaddress
import time
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import msgspec
from tornado.http1connection import HTTP1Connection
from tornado.iostream import StreamClosedError
from tornado.web import HTTPError, stream_request_body

from tcnb.practice.administration import administer
from tcnb.practice.askers import GuardedHandler
from tcnb.practice.entities import INVALID_FILE, UPLOAD_TASK_NOT_FOUND, Refusal, StoredFile, UploadTask, User
from tcnb.practice.storage import new_file
from tcnb.practice.uploads import MOST_PREVIEW, MalformedUpload, MultipartReader, boundary_of
from tcnb.wire import paths

DOWNLOAD_CHUNK: Final = 256 * 1024
MOST_UPLOAD: Final = 1 << 50
WEB_TOKEN_LIFETIME: Final = 3600
CODE_LIFETIME: Final = 600


class Page(GuardedHandler):
    """Common ground: JSON answers, and faults that strike before the page does anything."""

    fault_kind = "server"

    def prepare(self) -> None:
        """Refuse other web pages, and answer with a fault where one is in force."""
        super().prepare()
        if not self.is_of_the_connector:
            return
        fault = self.server.faults.next_http(self.fault_kind)
        if fault is not None:
            self.set_status(fault.status)
            for name, value in fault.headers.items():
                self.set_header(name, value)
            self.finish(fault.body)

    def answer(self, payload: Any, status: int = 200) -> None:
        """Finish with a JSON body."""
        self.set_status(status)
        self.set_header("Content-Type", "application/json")
        self.finish(msgspec.json.encode(payload))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer an error of tornado's own in JSON too."""
        self.set_header("Content-Type", "application/json")
        self.finish(msgspec.json.encode({"error": self._reason}))

    def json_body(self) -> dict[str, Any] | None:
        """Return the body; None where it is not a JSON object."""
        try:
            return msgspec.json.decode(self.request.body, type=dict[str, Any])
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return None


class TokenPage(Page):
    """The token endpoint (`protocol` sections 2.1 and 2.2)."""

    fault_kind = "token"

    def post(self) -> None:
        """Give a token for a login and a password."""
        self.set_header("Access-Control-Allow-Origin", "*")
        body = self.json_body()
        if body is None or not _are_strings(body, "client_id", "grant_type"):
            self.answer({"error": "invalid_request"}, 400)
        elif self.server.faults.password_login_disabled:
            self.answer({"error": "auth_method_disabled"}, 403)
        elif body["client_id"] != paths.PASSWORD_CLIENT_ID:
            self.answer({"error": "invalid_client"}, 401)
        elif body["grant_type"] != "password":
            self.answer({"error": "unsupported_grant_type"}, 400)
        elif not _are_strings(body, "username", "password"):
            self.answer({"error": "invalid_request"}, 400)
        else:
            self._answer_grant(self.server.admitted(body["username"], body["password"]))

    def _answer_grant(self, user: User | None) -> None:
        if user is None:
            description = "Invalid username or password"
            self.answer({"error": "invalid_grant", "error_description": description}, 401)
            return
        lifetime = self.server.world.settings.token_lifetime
        token, expires = self.server.office.issue(user.user_id, lifetime)
        payload = {"access_token": token, "token_type": paths.TOKEN_TYPE, "expires_in": lifetime}
        self.answer({**payload, "expires_at": expires}, 201)


class WebTokenPage(Page):
    """The first step of the OAuth flow: a web token for an application (`protocol` section 2.3)."""

    fault_kind = "token"

    def post(self) -> None:
        """Give a web token for an application, a login and a password."""
        body = self.json_body()
        if body is None or not _are_strings(body, "client_id", "grant_type", "username", "password"):
            self.answer({"error": "invalid_request"}, 400)
            return
        scopes = self.server.applications.get(body["client_id"])
        user = self.server.admitted(body["username"], body["password"])
        if scopes is None or user is None:
            self.answer({"error": "invalid_grant"}, 401)
        elif not scopes:
            reasons = [{"reason": "invalidScope", "location": "scope"}]
            problem = {"code": 400, "message": "Bad Request", "trace_id": "practice", "errors": reasons}
            self.answer({"error": problem}, 400)
        else:
            token = self.server.office.issue_ticket(f"web:{user.user_id}", WEB_TOKEN_LIFETIME)
            self.answer({"access_token": token, "expires_in": WEB_TOKEN_LIFETIME})


class CodePage(Page):
    """The second step of the OAuth flow: an authorization code for a web token."""

    fault_kind = "token"

    def post(self) -> None:
        """Give an authorization code; when it expires is told in absolute milliseconds."""
        body = self.json_body()
        if body is None or not _are_strings(body, "client_id", "token"):
            self.answer({"error": "invalid_request"}, 400)
            return
        meaning = self.server.office.redeem_ticket(body["token"]) or ""
        user = self.server.world.account(body["client_id"])
        if user is None or meaning != f"web:{user.user_id}":
            self.answer({"error": "invalid_grant"}, 401)
            return
        code = self.server.office.issue_ticket(f"code:{user.user_id}", CODE_LIFETIME)
        self.answer({"authorization_code": code, "expires_in": _milliseconds_from_now(CODE_LIFETIME)})


class CodeTokenPage(Page):
    """The third step of the OAuth flow: a connector token for an authorization code."""

    fault_kind = "token"

    def post(self) -> None:
        """Give a connector token; when it expires is told in absolute milliseconds."""
        body = self.json_body()
        if body is None or not _are_strings(body, "client_id", "grant_type", "code"):
            self.answer({"error": "invalid_request"}, 400)
        elif body["client_id"] != "user":
            self.answer({"error": "invalid_client"}, 401)
        elif body["grant_type"] != "authorization_code":
            self.answer({"error": "unsupported_grant_type"}, 400)
        else:
            kind, _, user_id = (self.server.office.redeem_ticket(body["code"]) or "").partition(":")
            self._answer_code(user_id if kind == "code" else None)

    def _answer_code(self, user_id: str | None) -> None:
        if user_id is None:
            self.answer({"error": "invalid_grant"}, 401)
            return
        lifetime = self.server.world.settings.token_lifetime
        token, _ = self.server.office.issue(user_id, lifetime)
        expires = _milliseconds_from_now(lifetime)
        self.answer({"access_token": token, "token_type": paths.TOKEN_TYPE, "expires_in": expires})


class ServerPage(Page):
    """The version and name of the server (`protocol` section 1.7)."""

    def get(self) -> None:
        """Tell them."""
        product = {"version": self.server.world.settings.version, "display_name": self.server.options.domain}
        self.answer({"product": product})


class ConnectsPage(Page):
    """Where the older way of asking for the version leads."""

    def get(self) -> None:
        """Name this very server."""
        self.answer({"connects": [f"{self.server.options.domain}:{self.server.port}"]})


class StatusPage(Page):
    """The older way of telling the version."""

    def get(self) -> None:
        """Tell it in a line of text."""
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(f"TrueConf Server {self.server.world.settings.version} (practice)\n")


@stream_request_body
class UploadPage(Page):
    """Uploads: the body is read to the end even when it is refused, so that clients get to read the refusal."""

    fault_kind = "upload"

    def prepare(self) -> None:
        """Find the upload task and get ready to write."""
        self._reader: MultipartReader | None = None
        self._task: UploadTask | None = None
        self._refused: int | None = None
        self._places: dict[str, Path] = {}
        self._is_kept = False
        super().prepare()
        if self._finished:
            return
        connection = self.request.connection
        assert isinstance(connection, HTTP1Connection)
        connection.set_max_body_size(MOST_UPLOAD)
        try:
            self._task = self.server.storage.task(self.request.headers.get(paths.UPLOAD_TASK_HEADER, ""))
            self._begin(self._task)
        except Refusal as refusal:
            self._refused = refusal.code
        except MalformedUpload:
            self._refused = INVALID_FILE

    def _begin(self, task: UploadTask) -> None:
        boundary = boundary_of(self.request.headers.get("Content-Type", ""))
        self._places = {"file": self.server.storage.new_path(), "preview": self.server.storage.new_path()}
        self._reader = MultipartReader(boundary, self._places, {"file": task.size, "preview": MOST_PREVIEW})

    def data_received(self, chunk: bytes) -> None:
        """Write what came."""
        if self._reader is None or self._refused is not None:
            return
        try:
            self._reader.feed(chunk)
        except MalformedUpload:
            self._refused = INVALID_FILE

    def post(self) -> None:
        """Accept the file, or tell why not."""
        code = self._refused if self._refused is not None else self._problem()
        if code is not None:
            self.answer({"errorCode": self.server.file_code(code)}, 400)
            return
        assert self._reader is not None and self._task is not None
        part, preview = self._reader.parts["file"], self._preview(self._reader)
        temporal_id = self.server.storage.keep(self._task, part.path, part.mime_type, preview, part.file_name)
        self._is_kept = True
        self.answer({"temporalFileId": temporal_id})

    def _problem(self) -> int | None:
        reader, task = self._reader, self._task
        if reader is None or task is None:
            return UPLOAD_TASK_NOT_FOUND
        file = reader.parts.get("file")
        if not reader.is_complete or file is None or file.size != task.size:
            return INVALID_FILE
        return None

    def _preview(self, reader: MultipartReader) -> StoredFile | None:
        part = reader.parts.get("preview")
        if part is None or not 0 < part.size <= MOST_PREVIEW:
            return None
        mime_type = part.mime_type or "image/webp"
        name = part.file_name or f"preview.{mime_type.rpartition('/')[2]}"
        preview = new_file(name, part.size, mime_type, part.path)
        self.server.world.files[preview.file_id] = preview
        return preview

    def on_finish(self) -> None:
        """Throw away what was not accepted."""
        self._discard()

    def on_connection_close(self) -> None:
        """Throw away what came so far, since the client is gone."""
        self._discard()

    def _discard(self) -> None:
        if self._reader is not None:
            self._reader.close()
        if not self._is_kept:
            for place in self._places.values():
                place.unlink(missing_ok=True)


class DownloadPage(Page):
    """Downloads; the address is the only credential (`protocol` section 8.3)."""

    fault_kind = "download"

    async def get(self, file_id: str) -> None:
        """Send the file."""
        try:
            file = self.server.storage.opened(file_id, self.get_query_argument("token", ""))
        except Refusal as refusal:
            self.answer({"errorCode": self.server.file_code(refusal.code)}, 404)
            return
        self.set_header("Content-Type", file.mime_type)
        self.set_header("Content-Length", file.size)
        self.set_header("Content-Disposition", f"attachment; filename*=UTF-8''{quote(file.name, safe='')}")
        try:
            await self._send(file)
        except StreamClosedError:
            self.server.log.info("a download was given up by the client")

    async def _send(self, file: StoredFile) -> None:
        rest = self.server.faults.cut_downloads_after
        for chunk in _chunks(file):
            if rest is not None and rest < len(chunk):
                self.write(chunk[:rest])
                await self.flush()
                self.detach().close()
                return
            self.write(chunk)
            await self.flush()
            rest = None if rest is None else rest - len(chunk)
        self.finish()


def _chunks(file: StoredFile) -> Any:
    if isinstance(file.source, bytes):
        for start in range(0, file.size, DOWNLOAD_CHUNK):
            yield file.source[start : start + DOWNLOAD_CHUNK]
        return
    with file.source.open("rb") as body:
        while chunk := body.read(DOWNLOAD_CHUNK):
            yield chunk


class FaultsPage(Page):
    """Orders of faults from this machine, and a look at the server's state; only with the option `faults`."""

    is_of_the_connector = False

    def prepare(self) -> None:
        """Refuse whoever is not on this machine, or is a web page."""
        super().prepare()
        if not ipaddress.ip_address(self.request.remote_ip or "0.0.0.0").is_loopback:
            raise HTTPError(403)

    def post(self, operation: str) -> None:
        """Carry out an operation with the arguments in the body."""
        body = self.json_body() if self.request.body else {}
        if body is None:
            raise HTTPError(400)
        try:
            result = administer(self.server, operation, body)
        except (LookupError, TypeError, ValueError, Refusal) as error:
            self.answer({"error": f"{type(error).__name__}: {error}"}, 400)
            return
        self.answer({"result": result})


def _are_strings(body: dict[str, Any], *names: str) -> bool:
    return all(isinstance(body.get(name), str) for name in names)


def _milliseconds_from_now(seconds: int) -> int:
    return int((time.time() + seconds) * 1000)
