"""Becomes a browser that shows a page, with a new profile.

    python3 open_page.py PROGRAM FOLDER URL [CERTIFICATE HOST:PORT..]

PROGRAM is chromium or firefox-esr; FOLDER takes the profile and whatever else it writes at home. The
CERTIFICATE, a PEM file that no authority vouches for, is good for these hosts. Code 77: PROGRAM is not
installed.
"""

import hashlib
import os
import pathlib
import shutil
import ssl
import sys

program, folder, url, *trusted = sys.argv[1:]
profile = pathlib.Path(folder) / "profile"

if not shutil.which(program):
    print(f"{program} is not installed", file=sys.stderr)
    sys.exit(77)

if program == "chromium":
    call = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        f"--user-data-dir={profile}",
        # Without a debugger to wait for it would end with the page loaded.
        "--remote-debugging-port=0",
    ]
    if trusted:
        call.append("--ignore-certificate-errors")
else:
    profile.mkdir()
    # Nothing but the page is to be opened or asked for.
    (profile / "user.js").write_text(
        """
user_pref("browser.aboutwelcome.enabled", false);
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("browser.startup.homepage_override.mstone", "ignore");
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("termsofuse.bypassNotification", true);
user_pref("toolkit.telemetry.enabled", false);
user_pref("app.normandy.enabled", false);
user_pref("browser.safebrowsing.update.enabled", false);
user_pref("extensions.update.enabled", false);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("services.settings.server", "data:,");
user_pref("browser.region.update.enabled", false);
user_pref("dom.push.enabled", false);
user_pref("extensions.getAddons.cache.enabled", false);
user_pref("media.gmp-manager.updateEnabled", false);
// Each process of its own is a second of a core at the start.
user_pref("dom.ipc.processCount", 1);
user_pref("dom.ipc.processPrelaunch.enabled", false);
user_pref("fission.autostart", false);
user_pref("layers.gpu-process.enabled", false);
user_pref("media.rdd-process.enabled", false);
user_pref("network.process.enabled", false);
user_pref("browser.newtab.preload", false);
user_pref("browser.pagethumbnails.capturing_disabled", true);
"""
    )
    if trusted:
        file, *hosts = trusted
        der = ssl.PEM_cert_to_DER_cert(pathlib.Path(file).read_text())
        fingerprint = ":".join(f"{byte:02X}" for byte in hashlib.sha256(der).digest())
        # As Firefox keeps what its user has excepted: the host, SHA-256, the fingerprint.
        (profile / "cert_override.txt").write_text(
            "".join(f"{host}:\tOID.2.16.840.1.101.3.4.2.1\t{fingerprint}\t\n" for host in hosts)
        )
    call = ["--headless", "--no-remote", "--profile", str(profile)]

os.environ["HOME"] = folder
os.execvp(program, [program, *call, url])
