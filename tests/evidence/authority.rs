//! A time-stamping authority for tests, made with openssl: a root, a certificate for stamps, and replies to queries.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::{accepts, verify};

/// A time-stamping authority of one's own, by openssl.
pub struct Authority {
    folder: PathBuf,
}

impl Authority {
    pub fn new(place: &Path, key: &[&str]) -> Self {
        let folder = place.join("authority");
        std::fs::create_dir(&folder).unwrap();
        let config = "[req]\ndistinguished_name = name\n[name]\n[ca]\nbasicConstraints = critical,CA:true\nkeyUsage = keyCertSign\n\
             [stamps]\nextendedKeyUsage = critical,timeStamping\n[tsa]\ndefault_tsa = mine\n[mine]\nserial = serial\n\
             signer_digest = sha256\ndefault_policy = 1.2.3.4.1\ndigests = sha256\n";
        std::fs::write(folder.join("config"), config).unwrap();
        std::fs::write(folder.join("serial"), "01\n").unwrap();
        let new_key = |out: &str| {
            let mut command = vec!["openssl", "req", "-config", "config", "-nodes", "-newkey"];
            command.extend(key);
            let (key, request) = (format!("{out}.key"), format!("{out}.csr"));
            let name = format!("/O=Test/CN={out}");
            command.extend(["-keyout", &key, "-out", &request, "-subj", &name]);
            accepts(&folder, &command);
        };
        for name in ["root", "stamper", "other"] {
            new_key(name);
        }
        for root in ["root", "other"] {
            let (key, request, out) = (
                format!("{root}.key"),
                format!("{root}.csr"),
                format!("{root}.pem"),
            );
            accepts(
                &folder,
                &[
                    "openssl",
                    "x509",
                    "-req",
                    "-days",
                    "3650",
                    "-in",
                    &request,
                    "-signkey",
                    &key,
                    "-out",
                    &out,
                    "-extfile",
                    "config",
                    "-extensions",
                    "ca",
                ],
            );
        }
        accepts(
            &folder,
            &[
                "openssl",
                "x509",
                "-req",
                "-days",
                "3650",
                "-in",
                "stamper.csr",
                "-CA",
                "root.pem",
                "-CAkey",
                "root.key",
                "-CAcreateserial",
                "-out",
                "stamper.pem",
                "-extfile",
                "config",
                "-extensions",
                "stamps",
            ],
        );
        Self { folder }
    }

    /// Its reply to the query of a folder.
    fn reply(&self, sealed: &Path) -> PathBuf {
        let query = sealed.join("tagmanifest-sha256.txt.tsq");
        accepts(
            &self.folder,
            &[
                "openssl",
                "ts",
                "-reply",
                "-config",
                "config",
                "-queryfile",
                query.to_str().unwrap(),
                "-signer",
                "stamper.pem",
                "-inkey",
                "stamper.key",
                "-out",
                "reply.tsr",
            ],
        );
        self.folder.join("reply.tsr")
    }

    /// Has it stamp a folder.
    pub fn stamp(&self, sealed: &Path) {
        let reply = self.reply(sealed);
        verify(sealed, [OsStr::new("--import-tsr"), reply.as_os_str()])
            .expect(0)
            .prints("taken in as");
    }

    pub fn certificate(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}
