"""Images are decoded elsewhere: within a budget of pixels, memory and time, by one process that leaves nothing."""

from __future__ import annotations

import asyncio
import io
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest
from PIL import Image

from tcnb import threads
from tcnb.errors import NotAnImageError
from tcnb.types import BufferedInputFile, FSInputFile, as_sticker, image_decoding, images, make_preview
from tcnb.types.images import small_webp
from tests import image_bombs
from tests.conftest import PATIENCE

LARGEST_GROWTH = 48 * 2**20
"""Bytes that a kernel may grow by looking at images, whatever they are: the modules, and copies of small files."""


def a_file(size=(60, 40), kind="PNG", **options):
    """Return an image in memory."""
    target = io.BytesIO()
    Image.new("RGB", size, "teal").save(target, kind, **options)
    return BufferedInputFile(target.getvalue(), f"a.{kind.lower()}")


async def shown(data):
    """Return what a page is handed of an image that somebody sent."""
    return Image.open(io.BytesIO(await small_webp(data, "this picture", from_stranger=True)))


def decoders(of=None):
    """Return the processes that decode images for a process, this one if none is given."""
    children = psutil.Process(of).children()
    return [child for child in children if any("image_process" in word for word in child.cmdline())]


@pytest.fixture
def no_decoder():
    """Begin without a process, and leave none that a test has changed."""
    yield end_decoders()
    end_decoders()


def end_decoders():
    for process in decoders():
        process.kill()
        process.wait(PATIENCE)


def wait_until_busy(process):
    """Wait until a process has computed for a while."""
    before = process.cpu_times().user
    while process.cpu_times().user < before + 0.2:
        time.sleep(0.01)


def is_gone(pid):
    """Wait until a process that is nobody's child any more has ended."""
    try:
        psutil.Process(pid).wait(PATIENCE)
    except psutil.NoSuchProcess:
        return True
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


@pytest.mark.parametrize("name", sorted(image_bombs.BOMBS))
async def test_bomb_is_refused_by_its_head(name, no_decoder):
    """An image of too many pixels is refused, from a stranger before anything is started for it."""
    bomb = image_bombs.BOMBS[name]()
    with pytest.raises(NotAnImageError, match=r"million are decoded$|are shown$"):
        await shown(bomb)
    assert not decoders()
    with pytest.raises(NotAnImageError, match="pixels, and no more than 40 million are decoded: make it smaller"):
        await make_preview(BufferedInputFile(bomb, name))


LOOKING = """
import asyncio, sys
from pathlib import Path
from tcnb.errors import NotAnImageError
from tcnb.types import FSInputFile, as_sticker, as_input_file
from tcnb.types.images import small_webp

def peak():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))

async def look(path):
    data = path.read_bytes()
    tries = small_webp(data, path.name, from_stranger=True), as_sticker(FSInputFile(path))
    return await asyncio.gather(*tries, return_exceptions=True)

before = peak()
for path in sorted(Path(sys.argv[1]).iterdir()):
    as_input_file(path.read_bytes(), as_image=True)
    for result in asyncio.run(look(path)):
        assert not isinstance(result, Exception) or isinstance(result, NotAnImageError), result
print(peak() - before, "PIL.Image" in sys.modules)
"""


def test_kernel_does_not_grow_by_what_is_looked_at(tmp_path):
    """Bombs, the largest images that are decoded, long animations and hidden texts take no memory of the kernel."""
    inputs = {name: make() for name, make in image_bombs.BOMBS.items()}
    inputs["b.webp"] = image_bombs.webp_of_one_colour(6320)
    inputs["b.png"] = image_bombs.png_of_one_colour(6320)
    inputs["b.gif"] = image_bombs.gif_of_many_frames()
    inputs["c.png"] = image_bombs.png_with_a_huge_text()
    inputs["d.png"] = image_bombs.png_with_a_huge_profile()
    for name, data in inputs.items():
        (tmp_path / name).write_bytes(data)
    ran = subprocess.run([sys.executable, "-c", LOOKING, tmp_path], capture_output=True, text=True, timeout=150)
    assert (ran.returncode, ran.stderr) == (0, "")
    grown, has_pillow = ran.stdout.split()
    assert int(grown) < LARGEST_GROWTH
    assert has_pillow == "False"


async def test_long_animation_is_shown_by_its_first_frame():
    """Thousands of frames cost as much as one."""
    assert (await shown(image_bombs.gif_of_many_frames(3000))).size == (512, 512)


@pytest.mark.parametrize("kind", ["TIFF", "AVIF", "JPEG2000", "ICO", "PPM", "TGA"])
async def test_rarer_formats_are_for_ones_own_images(kind):
    """What a browser or Pillow seldom reads is decoded when somebody here sends it, never when it comes from a chat."""
    file = a_file((60, 60), kind)
    assert Image.open(io.BytesIO((await make_preview(file)).data)).format == "WEBP"
    with pytest.raises(NotAnImageError, match="only JPEG, PNG, GIF, WebP and BMP are shown"):
        await shown(file.data)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "BMP"])
async def test_common_formats_are_shown_from_everybody(kind):
    """What every chat shows is shown, and comes back upright and small."""
    assert (await shown(a_file((900, 600), kind).data)).size == (512, 341)


async def test_format_is_what_the_head_says():
    """Bytes that follow do not make another reader look at a file."""
    with pytest.raises(NotAnImageError, match="is not an image that can be shown"):
        await shown(b"\x89PNG\r\n\x1a\n" + a_file(kind="TIFF").data)


async def test_photo_of_a_large_camera_can_be_sent():
    """A JPEG of more pixels than are decoded is decoded at an eighth of its size, when somebody here sends it."""
    photo = BufferedInputFile(image_bombs.jpeg_of_one_colour(9000), "a.jpg")
    assert Image.open(io.BytesIO((await make_preview(photo)).data)).size == (512, 512)
    with pytest.raises(NotAnImageError, match="81 million pixels"):
        await shown(photo.data)
    with pytest.raises(NotAnImageError, match="81 million pixels"):
        await make_preview(BufferedInputFile(image_bombs.jpeg_of_one_colour(9000, progressive=True), "a.jpg"))


async def test_sticker_with_too_many_pixels_is_not_sent():
    """A WebP is sent as it is only if those who get it can decode it."""
    with pytest.raises(NotAnImageError, match="268 million pixels"):
        await as_sticker(BufferedInputFile(image_bombs.webp_of_one_colour(), "a.webp"))


async def test_colour_profile_is_kept_of_ones_own_images_alone():
    """The colours of an own photo stay right; of a stranger's nothing but the pixels reaches the page."""
    photo = a_file(kind="JPEG", icc_profile=b"profile" * 20)
    assert "icc_profile" in Image.open(io.BytesIO((await make_preview(photo)).data)).info
    assert "icc_profile" not in (await shown(photo.data)).info


async def test_one_process_decodes_one_image_after_the_other(no_decoder):
    """However many images are asked for, one process is started, and it is used again."""
    await asyncio.gather(*(make_preview(a_file((400 + number, 300))) for number in range(30)))
    (first,) = decoders()
    await make_preview(a_file())
    assert decoders() == [first]


async def test_image_that_takes_too_long_is_given_up(no_decoder, monkeypatch):
    """The process is killed when its time is over, and the next image gets a new one."""
    slow = BufferedInputFile(image_bombs.jpeg2000_of_one_colour(6300), "a.jp2")
    await make_preview(a_file())
    (first,) = decoders()
    with monkeypatch.context() as patched:
        patched.setattr(image_decoding, "LONGEST", 0.1)
        with pytest.raises(NotAnImageError, match=r"^a\.jp2 takes too long to be decoded"):
            await make_preview(slow)
    assert not first.is_running()
    await make_preview(a_file())


async def test_image_that_takes_too_much_memory_is_refused(no_decoder, monkeypatch):
    """The process may have so much memory and no more, also where the head was believed."""
    monkeypatch.setattr(images, "MOST_PIXELS", 400_000_000)
    with pytest.raises(NotAnImageError, match="takes too much memory"):
        await make_preview(BufferedInputFile(image_bombs.bmp_that_is_cut(20_000), "a.bmp"))
    await make_preview(a_file())


async def test_death_of_the_process_is_one_line(no_decoder):
    """An image that ends the process is refused; an idle process that was ended is replaced unnoticed."""
    await make_preview(a_file())
    end_decoders()
    await make_preview(a_file())
    slow = asyncio.ensure_future(make_preview(BufferedInputFile(image_bombs.jpeg2000_of_one_colour(6300), "a.jp2")))
    (process,) = decoders()
    await asyncio.to_thread(wait_until_busy, process)
    process.kill()
    with pytest.raises(NotAnImageError, match="could not be decoded") as raised:
        await slow
    assert "\n" not in str(raised.value)


async def test_idle_process_ends(no_decoder, monkeypatch):
    """A process that has nothing to do is ended, and not even left to be waited for."""
    monkeypatch.setattr(threads, "IDLE", 0.05)
    monkeypatch.setattr(image_decoding, "_shared", None)
    await make_preview(a_file())
    alive = {thread for thread in threading.enumerate() if thread.name.startswith("tcnb images_")}
    for thread in alive:
        await asyncio.to_thread(thread.join, threads.IDLE + 1)
        if not thread.is_alive():
            assert not [one for one in decoders() if one.status() == psutil.STATUS_ZOMBIE]
    assert any(not thread.is_alive() for thread in alive)


async def test_process_knows_no_secrets(no_decoder, monkeypatch):
    """What decodes strangers' images has neither the password nor the token of the environment."""
    monkeypatch.setenv("TRUECONF_PASSWORD", "correct horse")
    await make_preview(a_file())
    (process,) = decoders()
    assert "TRUECONF_PASSWORD" not in process.environ()
    assert "correct horse" not in " ".join(process.cmdline())


async def test_interrupt_button_does_not_reach_the_process(no_decoder):
    """A kernel's interrupt goes to its whole group of processes, and images are decoded as before."""
    await make_preview(a_file())
    (process,) = decoders()
    process.send_signal(signal.SIGINT)
    await make_preview(a_file())
    assert decoders() == [process]


ASKING = """
import asyncio, io, sys
from PIL import Image
from tcnb.types import BufferedInputFile, make_preview

target = io.BytesIO()
Image.new("RGB", (60, 40)).save(target, "PNG")
asyncio.run(make_preview(BufferedInputFile(target.getvalue(), "a.png")))
"""


def started(after: str) -> subprocess.Popen[str]:
    """Start a script, without a guard of its main module, that has had an image decoded and then does something."""
    return subprocess.Popen(
        [sys.executable, "-c", ASKING + after],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, None], ids=["killed", "ended", "by itself"])
def test_process_does_not_outlive_the_kernel(end):
    """However a kernel ends, the process ends with it, and nothing is printed."""
    with started("print('ready', flush=True)\nsys.stdin.readline()\n") as kernel:
        assert kernel.stdout.readline() == "ready\n"
        (process,) = decoders(kernel.pid)
        if end is None:
            kernel.stdin.write("\n")
            kernel.stdin.flush()
        else:
            kernel.send_signal(end)
        kernel.wait(PATIENCE)
        assert is_gone(process.pid)
        assert kernel.stdout.read() == ""


def test_forked_process_does_not_keep_it_alive():
    """A fork decodes with a process of its own, and holds nothing of its parent's."""
    forking = (
        "import os\n"
        "pid = os.fork()\n"
        "if pid == 0:\n"
        "    asyncio.run(make_preview(BufferedInputFile(target.getvalue(), 'a.png')))\n"
        "print('ready', flush=True)\n"
        "sys.stdin.readline()\n"
        "if pid == 0:\n"
        "    os._exit(0)\n"
    )
    with started(forking) as kernel:
        assert [kernel.stdout.readline() for _ in range(2)] == ["ready\n", "ready\n"]
        (process,), (forked,) = (
            decoders(kernel.pid),
            [
                child
                for child in psutil.Process(kernel.pid).children()
                if "image_process" not in " ".join(child.cmdline())
            ],
        )
        (other,) = decoders(forked.pid)
        kernel.kill()
        kernel.wait(PATIENCE)
        assert is_gone(process.pid)
        assert forked.is_running()
        forked.kill()
        assert is_gone(other.pid)


async def test_frozen_program_is_not_started_again(no_decoder, monkeypatch):
    """A program that has Python within decodes in its own process, within the same budget of pixels."""
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert Image.open(io.BytesIO((await make_preview(a_file())).data)).size == (60, 40)
    with pytest.raises(NotAnImageError, match="pixels"):
        await make_preview(BufferedInputFile(image_bombs.png_of_one_colour(), "a.png"))
    assert not decoders()


async def test_system_without_processes_is_told(no_decoder, monkeypatch):
    """Where no process can be started the image is refused with the system's reason."""
    monkeypatch.setattr(image_decoding, "_start", lambda: (_ for _ in ()).throw(OSError(11, "no more processes")))
    with pytest.raises(NotAnImageError, match="the system starts no process for it: no more processes"):
        await make_preview(a_file())


def test_image_on_disk_is_read_by_the_process(tmp_path, monkeypatch):
    """A path need not be absolute nor of plain letters."""
    monkeypatch.chdir(tmp_path)
    Path("кот \N{CAT}.png").write_bytes(a_file().data)
    preview = asyncio.run(make_preview(FSInputFile("кот \N{CAT}.png")))
    assert Image.open(io.BytesIO(preview.data)).size == (60, 40)
