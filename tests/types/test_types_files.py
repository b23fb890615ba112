"""Files to send: from memory, disk and real HTTP addresses; what people hand over becomes one of them."""

from __future__ import annotations

import http.server
import io
import os
import ssl
import threading
from pathlib import Path

import matplotlib
import pytest
import trustme
from matplotlib.figure import Figure
from PIL import Image

from tcnb.errors import (
    EmptyFileError,
    FileMissingError,
    FileSizeTooLargeError,
    FileUploadError,
    NotAnImageError,
    UsageError,
)
from tcnb.types import BufferedInputFile, FSInputFile, InputFile, URLInputFile, as_input_file, input_file

CONTENT = bytes(range(256)) * 4096  # 1 MiB
LARGE = CONTENT * 9  # more than is fetched ahead


async def collected(file, chunk_size=1 << 18):
    """Return what a file streams, and the size of its largest piece."""
    chunks = [chunk async for chunk in file.stream(chunk_size)]
    return b"".join(chunks), max(map(len, chunks), default=0)


def png(size=(8, 6), colour="red"):
    """Return a small PNG."""
    target = io.BytesIO()
    Image.new("RGB", size, colour).save(target, "PNG")
    return target.getvalue()


class Pages(http.server.BaseHTTPRequestHandler):
    """Addresses that behave well and badly."""

    protocol_version = "HTTP/1.1"

    def do_HEAD(self):
        self.server.asked.append(f"HEAD {self.path}")
        self.give(head=True)

    def do_GET(self):
        self.server.asked.append(f"GET {self.path}")
        self.give(head=False)

    def give(self, *, head):
        """Answer according to the path."""
        page = self.path.partition("?")[0]
        if page == "/moved":
            return self.answer(302, b"", head, Location="/report.pdf")
        if page == "/no-head" and head:
            return self.answer(405, b"", head)
        if page == "/chunked":
            return self.give_chunks(head)
        if page == "/headers":
            return self.answer(200, self.headers.get("X-Key", "").encode(), head)
        pages = {
            "/report.pdf": (CONTENT, {"Content-Type": "application/pdf"}),
            "/large.bin": (LARGE, {}),
            "/no-head": (CONTENT, {"Content-Type": "text/plain; charset=utf-8"}),
            "/named": (CONTENT, {"Content-Disposition": "attachment; filename*=UTF-8''%D0%BF%D0%BB%D0%B0%D0%BD.pdf"}),
            "/evil": (CONTENT, {"Content-Disposition": 'attachment; filename="../../etc/passwd"'}),
            "/200": (png(), {"Content-Type": "image/png"}),
            "/picture": (png(), {}),
            "/": (CONTENT, {}),
            "/grows.bin": (LARGE if head else LARGE + b"x", {}),
        }
        if page == "/cut.bin" and not head:
            self.send_response(200)
            self.send_header("Content-Length", str(len(LARGE)))
            self.end_headers()
            self.wfile.write(LARGE[:1000])
            self.close_connection = True
            return None
        if page == "/silent":
            self.server.released.wait()
            self.close_connection = True
            return None
        if page not in pages:
            return self.answer(404, b"gone", head)
        body, headers = pages[page]
        return self.answer(200, body, head, **headers)

    def answer(self, status, body, head, **headers):
        """Send an answer with its length."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if not head:
            self.wfile.write(body)

    def give_chunks(self, head):
        """Send an answer that does not tell its length."""
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        if not head:
            self.wfile.write(b"3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n")

    def log_message(self, *arguments):
        """Keep the output of the tests clean."""


class Server(http.server.ThreadingHTTPServer):
    """A server that remembers what it was asked and does not print what its clients break off."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Pages)
        self.asked = []
        self.released = threading.Event()

    def handle_error(self, *arguments):
        """Clients break off on purpose here."""


@pytest.fixture
def pages():
    """Serve the addresses over a real socket."""
    server = Server()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    server.url = f"http://127.0.0.1:{server.server_port}"
    yield server
    server.released.set()
    server.shutdown()
    thread.join()
    server.server_close()


async def test_buffered_file_is_read_as_a_stream_in_memory():
    """What is in memory reads as BytesIO."""
    file = BufferedInputFile(CONTENT, "a.bin")
    read = await file.read()
    assert isinstance(read, io.BytesIO)
    assert read.getvalue() == file.data == CONTENT


async def test_buffered_file_streams_in_pieces():
    """What is in memory is given in pieces of the size asked for."""
    assert await collected(BufferedInputFile(CONTENT, "a.bin"), 1000) == (CONTENT, 1000)


def test_buffered_file_knows_name_size_and_type():
    """Size and type of what is in memory are found out."""
    file = BufferedInputFile(b"a,b\n", "Table.CSV")
    assert (file.filename, file.file_size, file.size, file.mimetype) == ("Table.CSV", 4, 4, "text/csv")
    assert file.extension == "csv"


def test_given_type_is_kept():
    """A type that is given is not guessed."""
    assert BufferedInputFile(b"x", "a.csv", mimetype="application/x-own").mimetype == "application/x-own"


def test_exact_size_is_known_whatever_is_claimed(tmp_path):
    """A claimed size stands beside the true one."""
    path = tmp_path / "a.bin"
    path.write_bytes(b"12345")
    for file in (BufferedInputFile(b"12345", "a.bin", 99), FSInputFile(path, file_size=99)):
        assert (file.file_size, file.size) == (99, 5)


def test_both_spellings_of_name_and_type_are_taken(tmp_path):
    """`file_name` and `mime_type` of the newer client mean `filename` and `mimetype`."""
    path = tmp_path / "a.bin"
    path.write_bytes(b"x")
    for file in (
        BufferedInputFile(file=b"x", file_name="b.bin", mime_type="a/b"),
        BufferedInputFile.from_file(path, file_name="b.bin", mime_type="a/b"),
        FSInputFile(path, file_name="b.bin", mime_type="a/b"),
        URLInputFile("https://x.example/a", file_name="b.bin", mime_type="a/b"),
    ):
        assert (file.filename, file.file_name, file.mimetype, file.mime_type) == ("b.bin", "b.bin", "a/b", "a/b")
        file.file_name, file.mime_type = "c.bin", "c/d"
        assert (file.filename, file.mimetype) == ("c.bin", "c/d")


def test_buffered_file_needs_a_name():
    """Bytes without a name are refused."""
    with pytest.raises(TypeError, match="filename"):
        BufferedInputFile(b"x")


def test_buffered_file_can_be_read_from_disk(tmp_path):
    """`from_file` reads a file into memory under its own name."""
    path = tmp_path / "notes.txt"
    path.write_text("hello")
    file = BufferedInputFile.from_file(path)
    assert (file.data, file.filename, file.mimetype) == (b"hello", "notes.txt", "text/plain")


async def test_clone_has_the_same_content(tmp_path):
    """A clone is another object with the same content and the same description."""
    path = tmp_path / "notes.txt"
    path.write_text("hello")
    for file in (
        FSInputFile(path, "other.md", mimetype="a/b"),
        BufferedInputFile(b"hello", "other.md", mimetype="a/b"),
    ):
        clone = file.clone()
        assert clone is not file
        assert (clone.filename, clone.mimetype, clone.size) == (file.filename, file.mimetype, file.size)
        assert await collected(clone) == await collected(file) == (b"hello", 5)


async def test_file_on_disk_is_read_and_streamed(tmp_path):
    """A file on disk reads as bytes and streams in pieces."""
    path = tmp_path / "plan.pdf"
    path.write_bytes(CONTENT)
    file = FSInputFile(path)
    assert (file.filename, file.size, file.mimetype, file.path) == ("plan.pdf", len(CONTENT), "application/pdf", path)
    assert await file.read() == CONTENT
    assert await collected(file, 1 << 16) == (CONTENT, 1 << 16)


async def test_file_on_disk_is_found_after_the_folder_changed(tmp_path, monkeypatch):
    """A relative path is fixed when the file object is made."""
    (tmp_path / "a.txt").write_text("hello")
    monkeypatch.chdir(tmp_path)
    file = FSInputFile("a.txt")
    monkeypatch.chdir("/")
    assert await file.clone().read() == b"hello"
    assert file.clone().path == "a.txt"


def test_home_folder_is_understood(tmp_path, monkeypatch):
    """`~` is the home folder."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "a.txt").write_text("hello")
    assert FSInputFile("~/a.txt").size == 5


@pytest.mark.parametrize("change", [b"longer than it was", b"short"])
async def test_file_that_changes_its_size_is_not_sent(tmp_path, change):
    """A file that grew or shrank after its size was declared is an error."""
    path = tmp_path / "log.txt"
    path.write_bytes(b"as it was")
    file = FSInputFile(path)
    path.write_bytes(change)
    with pytest.raises(FileUploadError, match="changed"):
        await collected(file)


async def test_file_that_vanishes_is_an_error(tmp_path):
    """A file that is gone when it is sent is an error of one line."""
    path = tmp_path / "log.txt"
    path.write_bytes(b"as it was")
    file = FSInputFile(path)
    path.unlink()
    for attempt in (collected(file), file.read()):
        with pytest.raises(FileUploadError, match="can no longer be read"):
            await attempt


@pytest.mark.parametrize("made", [FSInputFile, BufferedInputFile.from_file, as_input_file])
def test_missing_file_is_an_error_at_once(tmp_path, made):
    """A file that is not there is told when the object is made, with the place that was looked at."""
    with pytest.raises(FileMissingError, match="there is no file") as raised:
        made(tmp_path / "nothing.txt")
    assert str(tmp_path) in str(raised.value)
    assert isinstance(raised.value, FileNotFoundError)


def test_folder_is_no_file(tmp_path):
    """A folder is told apart from a missing file."""
    with pytest.raises(FileMissingError, match="is a folder"):
        FSInputFile(tmp_path)


@pytest.mark.parametrize("make", [FSInputFile, as_input_file])
def test_empty_path_is_no_folder(make):
    """A path with nothing in it, which would be the working folder, is told as what it is."""
    with pytest.raises(FileMissingError, match="is empty"):
        make("")


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [(FSInputFile, (5,)), (URLInputFile, (5,)), (BufferedInputFile, (5, "a")), (BufferedInputFile, ("x", "a"))],
)
def test_wrong_types_are_refused(kind, arguments):
    """A number is neither a path, an address nor a content: not even so many zeros."""
    with pytest.raises(UsageError, match="not of the type"):
        kind(*arguments)


def test_device_is_no_file():
    """What has no size cannot be sent."""
    with pytest.raises(FileMissingError, match="ordinary"):
        FSInputFile(os.devnull)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_unreadable_file_is_an_error_at_once(tmp_path):
    """A file whose permissions forbid reading is told when the object is made."""
    path = tmp_path / "secret.txt"
    path.write_text("x")
    path.chmod(0)
    with pytest.raises(FileMissingError, match="permissions"):
        FSInputFile(path)


@pytest.mark.parametrize("path", ["a\0b", "x" * 5000])
def test_impossible_path_is_an_error_of_one_line(path):
    """A path that no system has is an error like any other."""
    with pytest.raises(FileMissingError):
        FSInputFile(path)


@pytest.mark.parametrize(
    ("name", "mimetype"),
    [
        ("a.webp", "image/webp"),
        ("a.vcf", "text/vcard"),
        ("a.ogg", "audio/ogg"),
        ("a.ipynb", "application/x-ipynb+json"),
        ("a.parquet", "application/vnd.apache.parquet"),
        ("a.JPG", "image/jpeg"),
        ("a.csv.gz", "application/gzip"),
        ("a.tar.xz", "application/x-xz"),
        ("unknown", "application/octet-stream"),
    ],
)
def test_type_is_told_by_the_name(name, mimetype):
    """The usual names have the usual types, on every machine."""
    assert BufferedInputFile(b"", name).mimetype == mimetype


def test_type_of_an_image_is_told_by_its_content(tmp_path):
    """An image whose name says nothing is recognised, in memory and on disk."""
    path = tmp_path / "picture"
    path.write_bytes(png())
    assert BufferedInputFile(png(), "picture").mimetype == FSInputFile(path).mimetype == "image/png"


async def test_small_remote_file_is_fetched_once(pages):
    """A small file is fetched when it is prepared, and not again."""
    file = URLInputFile(f"{pages.url}/report.pdf")
    assert file.size is None
    await file.prepare()
    assert (file.filename, file.size, file.file_size, file.mimetype) == (
        "report.pdf",
        len(CONTENT),
        len(CONTENT),
        "application/pdf",
    )
    assert await file.read() == CONTENT
    assert await collected(file.clone(), 1000) == (CONTENT, 1000)
    assert pages.asked == ["HEAD /report.pdf", "GET /report.pdf"]


async def test_large_remote_file_is_passed_through(pages):
    """A large file is asked for its size first, and given as it comes."""
    file = URLInputFile(f"{pages.url}/large.bin")
    await file.prepare()
    assert pages.asked == ["HEAD /large.bin"]
    assert file.size == len(LARGE)
    content, largest = await collected(file, 1 << 20)
    assert content == LARGE
    assert largest <= 1 << 20


async def test_remote_file_without_a_size_is_fetched(pages):
    """An address that does not tell the size still gives a file of an exact size."""
    file = URLInputFile(f"{pages.url}/chunked")
    await file.prepare()
    assert file.size == 7
    assert await file.read() == b"abcdefg"


async def test_address_that_refuses_to_be_asked_still_gives(pages):
    """An address that only answers GET gives its file."""
    file = URLInputFile(f"{pages.url}/no-head")
    await file.prepare()
    assert (file.size, file.mimetype) == (len(CONTENT), "text/plain")


async def test_redirect_is_followed(pages):
    """A file that moved is found."""
    assert await URLInputFile(f"{pages.url}/moved").read() == CONTENT


async def test_headers_are_sent(pages):
    """The headers of a remote file reach its server."""
    assert await URLInputFile(f"{pages.url}/headers", headers={"X-Key": "letmein"}).read() == b"letmein"


@pytest.mark.parametrize(
    ("page", "name"),
    [("/named", "план.pdf"), ("/evil", "passwd"), ("/200", "200.png"), ("/picture", "picture.png"), ("/", "download")],
)
async def test_remote_file_gets_a_sensible_name(pages, page, name):
    """The name comes from the response, else from the address, and never leads out of a folder."""
    file = URLInputFile(pages.url + page)
    await file.prepare()
    assert file.filename == name


async def test_remote_file_keeps_the_name_it_was_given(pages):
    """A name that is given is not replaced."""
    file = URLInputFile(f"{pages.url}/named", filename="own.bin", mimetype="a/b")
    await file.prepare()
    assert (file.filename, file.mimetype) == ("own.bin", "a/b")


async def test_remote_file_of_another_size_than_told_is_an_error(pages):
    """A file that turns out longer than it was told to be is not sent."""
    file = URLInputFile(f"{pages.url}/grows.bin")
    with pytest.raises(FileUploadError, match="told a size"):
        await collected(file)


async def test_remote_file_that_breaks_off_is_an_error(pages):
    """A connection that ends before the file does is an error."""
    with pytest.raises(FileUploadError, match=r"cut\.bin could not be fetched"):
        await URLInputFile(f"{pages.url}/cut.bin").read()


async def test_address_that_stays_silent_is_an_error(pages):
    """An address that does not answer is given up after the time-out."""
    with pytest.raises(FileUploadError, match=r"no progress for 0\.2 seconds"):
        await URLInputFile(f"{pages.url}/silent", timeout=0.2).prepare()


async def test_remote_file_without_end_is_cut_off(pages, monkeypatch):
    """A file whose size nobody tells is fetched up to a limit only."""
    monkeypatch.setattr("tcnb.types.files._MOST_FETCHED", 5)
    with pytest.raises(FileSizeTooLargeError):
        await URLInputFile(f"{pages.url}/chunked").prepare()


async def test_file_of_ones_own_kind_needs_reading_and_cloning_only():
    """A class that only reads and clones, as the page asks, is streamed and measured."""

    class OwnFile(InputFile):
        async def read(self):
            return CONTENT

        def clone(self):
            return OwnFile(self.filename)

    file = OwnFile("own.bin")
    await file.prepare()
    assert file.size == len(CONTENT)
    assert await collected(file, 1000) == (CONTENT, 1000)


async def test_address_without_a_file_is_an_error_without_its_secrets(pages):
    """A refusal is told with its status, and without the query and the password of the address."""
    address = f"{pages.url}/nothing?token=s3cret".replace("//", "//user:pa55@")
    with pytest.raises(FileUploadError, match="answers 404") as raised:
        await URLInputFile(address).prepare()
    assert type(raised.value) is FileUploadError
    assert "s3cret" not in str(raised.value)
    assert "pa55" not in str(raised.value)
    assert "s3cret" not in repr(URLInputFile(address))


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9/x?k=s3cret", "http://[bad", "ftp://x.example/a", "https://", "http://a b"]
)
async def test_unreachable_address_is_an_error(url):
    """An address that cannot be reached is an error of one line."""
    with pytest.raises(FileUploadError) as raised:
        await URLInputFile(url).read()
    assert "s3cret" not in str(raised.value)
    assert "\n" not in str(raised.value)


async def test_untrusted_certificate_is_told(pages):
    """A certificate that nobody vouches for is named as the reason; it can be trusted on purpose."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    pages.socket = context.wrap_socket(pages.socket, server_side=True)
    url = pages.url.replace("http:", "https:") + "/report.pdf"
    with pytest.raises(FileUploadError, match="certificate"):
        await URLInputFile(url).read()
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    assert await URLInputFile(url, verify_ssl=trusting).read() == CONTENT


def test_path_becomes_a_file_on_disk(tmp_path):
    """A text and a path are both paths."""
    path = tmp_path / "a.txt"
    path.write_text("hello")
    for value in (path, str(path)):
        file = as_input_file(value, filename="b.txt")
        assert isinstance(file, FSInputFile)
        assert (file.filename, file.size) == ("b.txt", 5)


@pytest.mark.parametrize("value", ["https://x.example/a.png", "HTTP://x.example/a.png"])
def test_address_becomes_a_remote_file(value):
    """What begins with http:// or https:// is an address."""
    file = as_input_file(value)
    assert isinstance(file, URLInputFile)
    assert file.url == value


@pytest.mark.parametrize("value", [b"abc", bytearray(b"abc"), memoryview(b"abc"), io.BytesIO(b"abc")])
def test_bytes_become_a_file_in_memory(value):
    """Bytes of every kind become a file with a neutral name."""
    file = as_input_file(value)
    assert (file.data, file.filename) == (b"abc", "file.bin")


def test_bytes_of_an_image_get_an_images_name():
    """Bytes that are an image are named like one."""
    file = as_input_file(png())
    assert (file.filename, file.mimetype) == ("image.png", "image/png")


def test_input_file_is_taken_as_it_is():
    """A file object passes through, or is cloned under another name."""
    file = BufferedInputFile(b"x", "a.txt")
    assert as_input_file(file) is file
    assert as_input_file(file, filename="b.txt").filename == "b.txt"
    assert file.filename == "a.txt"


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "LAB", "I", "F", "I;16"])
def test_picture_becomes_a_png(mode):
    """An image of Pillow of any mode becomes PNG."""
    file = as_input_file(Image.new(mode, (8, 6)))
    assert (file.filename, file.mimetype) == ("image.png", "image/png")
    assert Image.open(io.BytesIO(file.data)).size == (8, 6)


def test_opened_picture_keeps_its_name(tmp_path):
    """An image that was opened from a file is named after it."""
    path = tmp_path / "cat.jpg"
    Image.new("RGB", (8, 6)).save(path)
    with Image.open(path) as picture:
        assert as_input_file(picture).filename == "cat.png"


@pytest.mark.parametrize("take", [lambda axes: axes.figure, lambda axes: axes])
def test_figure_or_its_axes_become_a_png(take):
    """A matplotlib figure, or axes in it, become PNG."""
    axes = Figure(figsize=(2, 1)).add_subplot()
    axes.plot([1, 2])
    file = as_input_file(take(axes))
    assert (file.filename, file.mimetype) == ("figure.png", "image/png")
    assert Image.open(io.BytesIO(file.data)).format == "PNG"


def test_module_of_plots_stands_for_its_current_figure():
    """`plt` itself is taken for the current figure, as its `savefig` does."""
    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    plt.close("all")  # what another test has left open
    try:
        with pytest.raises(EmptyFileError, match=r"fig = plt\.gcf\(\) in the cell that draws"):
            as_input_file(plt)
        plt.plot([1, 2])
        assert as_input_file(plt).filename == "figure.png"
    finally:
        plt.close("all")


def hide(figure: Figure) -> None:
    figure.add_subplot().plot([1, 2])
    figure.axes[0].set_visible(False)


@pytest.mark.parametrize(
    "leave",
    [
        lambda figure: None,
        lambda figure: figure.set_facecolor("teal"),
        lambda figure: figure.suptitle(" "),
        lambda figure: figure.add_subplot(),
        lambda figure: figure.add_subplot(projection="3d"),
        lambda figure: figure.add_subplot(projection="polar"),
        lambda figure: figure.add_subplot().set_axis_off(),
        lambda figure: figure.subplots(2, 2),
        lambda figure: figure.subfigures(1, 2)[0].add_subplot(),
        lambda figure: figure.add_subplot().plot([1, 2], color="white")[0].axes.set_axis_off(),
        hide,
    ],
)
def test_figure_on_which_nothing_is_drawn_is_refused(leave):
    """A figure that is blank, or has axes with nothing in them, is refused, and one line says what to write."""
    figure = Figure(figsize=(2, 1))
    leave(figure)
    with pytest.raises(
        EmptyFileError, match=r"nothing is drawn .* fig = plt\.gcf\(\) in the cell that draws"
    ) as raised:
        as_input_file(figure, as_image=True)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "draw",
    [
        lambda figure: figure.text(0.5, 0.5, "42 builds"),
        lambda figure: figure.add_subplot().set_title("No builds today"),
        lambda figure: figure.add_subplot().set_xlabel("builds"),
        lambda figure: figure.add_subplot().plot([], []),
        lambda figure: figure.add_subplot().table([["build", "42"]]),
        lambda figure: figure.add_subplot().imshow([[1, 2]]),
        lambda figure: figure.add_subplot(projection="3d").scatter([1], [2], [3]),
        lambda figure: figure.add_subplot().inset_axes([0, 0, 1, 1]).text(0, 0, "inside"),
        lambda figure: figure.subfigures(1, 2)[1].add_subplot().bar([1], [2]),
    ],
)
def test_figure_with_anything_on_it_is_sent(draw):
    """A text, a title, a label or a single point is enough."""
    figure = Figure(figsize=(2, 1))
    draw(figure)
    assert as_input_file(figure, as_image=True).mimetype == "image/png"


@pytest.mark.parametrize("size", [(0, 0), (0, 5), (5, 0)])
def test_image_without_pixels_is_refused(size):
    """An image of Pillow that has no pixels cannot be written, and one line says so."""
    with pytest.raises(EmptyFileError, match=f"no pixels .{size[0]} × {size[1]}"):
        as_input_file(Image.new("RGB", size))


@pytest.mark.parametrize("content", [b"", bytearray(), io.BytesIO()])
def test_bytes_that_are_none_are_refused(content):
    """Empty bytes and a buffer that nothing was written into are no file, unless they are given a name."""
    with pytest.raises(EmptyFileError, match="there are no bytes to send"):
        as_input_file(content)
    assert as_input_file(content, filename="__init__.py").size == 0


@pytest.mark.parametrize("make", [lambda path: path, FSInputFile, lambda path: BufferedInputFile(b"", path.name)])
def test_empty_file_is_a_file_and_no_picture(tmp_path, make):
    """A file without bytes can be sent as a file, and where an image is needed one line says that it is empty."""
    path = tmp_path / "empty.png"
    path.touch()
    assert as_input_file(make(path)).size == 0
    with pytest.raises(EmptyFileError, match=r"empty\.png is empty \(0 bytes\)"):
        as_input_file(make(path), as_image=True)


@pytest.mark.parametrize("value", [None, 3, ["a.txt"], object(), {"a": 1}])
def test_anything_else_is_refused_with_what_is_accepted(value):
    """What stands for no file is refused with a list of what does."""
    with pytest.raises(UsageError, match="a path, a URL, bytes"):
        as_input_file(value)


@pytest.mark.parametrize("address", ["ftp://me:pa55@x.example/a?k=s3cret", " S3://bucket/a", "file:///a"])
def test_address_of_another_kind_is_no_path(address):
    """What looks like an address is not looked for on the disk, and its secrets are not shown."""
    with pytest.raises(UsageError, match="http:// or https://") as raised:
        as_input_file(address)
    assert "pa55" not in str(raised.value)
    assert "s3cret" not in str(raised.value)


def test_image_is_demanded():
    """Where an image is needed, something else is refused."""
    with pytest.raises(NotAnImageError, match=r"file\.bin"):
        as_input_file(b"abc", as_image=True)
    assert as_input_file(png(), filename="noname", as_image=True).mimetype == "image/png"


async def test_conversion_can_be_awaited(tmp_path):
    """The conversion is also there beside an event loop."""
    file = await input_file(Image.new("RGB", (8, 6)), filename="a.png")
    assert isinstance(file, InputFile)
    assert file.filename == "a.png"


def test_files_are_shown_on_one_short_line(tmp_path):
    """A file object shows name, type and size."""
    assert repr(BufferedInputFile(b"abc", "a.txt")) == "BufferedInputFile('a.txt', text/plain, 3 bytes)"
    assert "size unknown" in repr(URLInputFile("https://x.example/a?b=c"))
    assert Path(tmp_path).exists()
