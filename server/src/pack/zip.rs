//! A ZIP archive, written file by file: each is whole in memory once, the archive never is.

use std::io::{Error, Write as _};

use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};

/// An archive under way.
#[derive(Debug, Default)]
pub(super) struct Zip {
    at: u64,
    directory: Vec<u8>,
    files: u16,
}

/// 1 January 1980: a file has no date of its own here, its content says when it was.
const DATE: u16 = 0x21;
const UTF8: u16 = 1 << 11;
const DEFLATED: u16 = 8;

fn size(bytes: usize) -> Result<u32, Error> {
    u32::try_from(bytes).map_err(|_| Error::other("a file of 4 GiB or more"))
}

impl Zip {
    /// The bytes of one more file.
    pub(super) fn file(&mut self, path: &str, bytes: &[u8]) -> Result<Vec<u8>, Error> {
        let mut crc = Crc::new();
        crc.update(bytes);
        let mut packed = DeflateEncoder::new(Vec::new(), Compression::default());
        packed.write_all(bytes)?;
        let packed = packed.finish()?;
        let name = u16::try_from(path.len()).map_err(|_| Error::other("a name too long"))?;
        let at = u32::try_from(self.at).map_err(|_| Error::other("an archive of 4 GiB or more"))?;
        self.files = self.files.checked_add(1).ok_or_else(|| Error::other("too many files"))?;
        // What the file's own head and the directory say alike.
        let mut head = Vec::new();
        for n in [20, UTF8, DEFLATED, 0, DATE] {
            head.extend(n.to_le_bytes());
        }
        for n in [crc.sum(), size(packed.len())?, size(bytes.len())?] {
            head.extend(n.to_le_bytes());
        }
        head.extend(name.to_le_bytes());
        head.extend([0, 0]);
        let mut out = b"PK\x03\x04".to_vec();
        out.extend(&head);
        out.extend(path.as_bytes());
        out.extend(&packed);
        self.directory.extend(b"PK\x01\x02\x14\x00");
        self.directory.extend(&head);
        // No comment, first disk, no attributes.
        self.directory.extend([0; 10]);
        self.directory.extend(at.to_le_bytes());
        self.directory.extend(path.as_bytes());
        self.at += out.len() as u64;
        Ok(out)
    }

    /// The directory, which ends the archive.
    pub(super) fn end(&mut self) -> Result<Vec<u8>, Error> {
        let at = u32::try_from(self.at).map_err(|_| Error::other("an archive of 4 GiB or more"))?;
        let mut out = std::mem::take(&mut self.directory);
        let long = size(out.len())?;
        out.extend(b"PK\x05\x06\0\0\0\0");
        out.extend(self.files.to_le_bytes());
        out.extend(self.files.to_le_bytes());
        out.extend(long.to_le_bytes());
        out.extend(at.to_le_bytes());
        out.extend([0, 0]);
        Ok(out)
    }
}
