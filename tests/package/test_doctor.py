from support.cli import run

from tinytracker.package.doctor import diagnose


def test_what_is_missing_is_named_with_what_brings_it(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("TINYTRACKER_HOME", str(tmp_path))
    parts = {part.name: part for part in diagnose()}
    for name in ("cc", "arm-none-eabi-gcc", "qemu-system-arm", "Sony's converter", "edgetpu_compiler"):
        assert not parts[name].found
        assert parts[name].install
    assert "qemu-system-arm" in run("doctor").out
    assert "apt-get install qemu-system-arm" in run("doctor").out


def test_what_is_there_is_found(tmp_path, monkeypatch):
    program = tmp_path / "qemu-system-arm"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    document = run("doctor", "--json").document
    found = {part["name"]: part["found"] for part in document["parts"]}
    assert found["qemu-system-arm"] == str(program)
    assert found["tensorflow"].startswith("2.15")


def test_every_part_has_a_name_of_its_own():
    names = [part["name"] for part in run("doctor", "--json").document["parts"]]
    assert len(names) == len(set(names))
