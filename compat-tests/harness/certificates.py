"""Certificates of an authority of our own, as PEM files, by the `openssl` command."""
import os
import subprocess


def _openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


class Authority:
    """An authority in the directory `home`; `ca` is its certificate."""

    def __init__(self, home):
        os.makedirs(home, exist_ok=True)
        self.home = home
        self.ca, self._key = self._path("ca.pem"), self._path("ca.key")
        _openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=sluice test authority",
                 "-keyout", self._key, "-out", self.ca)

    def _path(self, name):
        return os.path.join(self.home, name)

    def issue(self, name, address=None):
        """A certificate for `name` (and an IP address): paths of certificate, key, and both in one file."""
        certificate, key, both = (self._path(f"{name}.{suffix}") for suffix in ("pem", "key", "both.pem"))
        request, extensions = self._path(f"{name}.csr"), self._path(f"{name}.ext")
        _openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout", key, "-out", request)
        with open(extensions, "w") as file:
            file.write(f"subjectAltName=DNS:{name}{',IP:' + address if address else ''}\n")
        _openssl("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", self._key, "-CAcreateserial", "-days", "2",
                 "-extfile", extensions, "-out", certificate)
        with open(both, "w") as file:
            for part in (key, certificate, self.ca):
                with open(part) as source:
                    file.write(source.read())
        return certificate, key, both
