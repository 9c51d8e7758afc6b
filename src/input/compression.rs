//! [`Compression`]: the compression of a file, by name or by the file's extension.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};

/// The compression of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Compression {
    /// Uncompressed.
    #[default]
    None,
    /// gzip (RFC 1952), any number of members.
    Gzip,
    /// bzip2, any number of streams.
    Bzip2,
    /// xz, any number of streams with padding between them.
    Xz,
    /// Zstandard (RFC 8878), any number of frames, skippable ones too.
    Zstd,
}

/// The option `compression`: one for all files, or by the extension of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum CompressionOption {
    /// By the file's extension; none if the extension is not one of a compression.
    #[default]
    Auto,
    /// This one, whatever the file's name is.
    Fixed(Compression),
}

impl Compression {
    const ALL: [Self; 5] =
        [Compression::None, Compression::Gzip, Compression::Bzip2, Compression::Xz, Compression::Zstd];

    /// The compression that the extension of a path stands for: `gz`, `bz2`, `xz`, `zst` or a full
    /// name, in upper or lower case.
    pub fn from_path(path: &str) -> Option<Self> {
        let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
        let (_, extension) = name.rsplit_once('.')?;
        Self::named(extension).filter(|&compression| compression != Compression::None)
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|compression| compression.names().iter().any(|known| known.eq_ignore_ascii_case(name)))
    }

    /// The names as an option's value. The first is the one that is displayed. All are file
    /// extensions too, except those of `None`.
    fn names(self) -> &'static [&'static str] {
        match self {
            Compression::None => &["none", "uncompressed"],
            Compression::Gzip => &["gzip", "gz"],
            Compression::Bzip2 => &["bzip2", "bz2"],
            Compression::Xz => &["xz"],
            Compression::Zstd => &["zstd", "zst"],
        }
    }
}

impl CompressionOption {
    /// The compression of the file at `path`.
    pub fn resolve(self, path: &str) -> Compression {
        match self {
            CompressionOption::Auto => Compression::from_path(path).unwrap_or_default(),
            CompressionOption::Fixed(compression) => compression,
        }
    }
}

impl FromStr for Compression {
    type Err = Error;

    /// Parses a name, in upper or lower case.
    ///
    /// # Errors
    ///
    /// If no compression has that name. The error lists the names.
    fn from_str(name: &str) -> Result<Self> {
        Self::named(name).ok_or_else(|| Error::invalid_option("compression", name, ALLOWED))
    }
}

impl FromStr for CompressionOption {
    type Err = Error;

    /// Parses `auto` or the name of a [`Compression`], in upper or lower case.
    ///
    /// # Errors
    ///
    /// If it is neither. The error lists the values that are allowed.
    fn from_str(name: &str) -> Result<Self> {
        if name.eq_ignore_ascii_case("auto") {
            return Ok(CompressionOption::Auto);
        }
        match Compression::named(name) {
            Some(compression) => Ok(CompressionOption::Fixed(compression)),
            None => Err(Error::invalid_option("compression", name, format!("auto, {ALLOWED}"))),
        }
    }
}

const ALLOWED: &str = "none (or uncompressed), gzip (gz), bzip2 (bz2), xz or zstd (zst)";

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.names()[0])
    }
}

impl fmt::Display for CompressionOption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CompressionOption::Auto => f.write_str("auto"),
            CompressionOption::Fixed(compression) => compression.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_says_it_by_its_extension() {
        for (path, compression) in [
            ("a/b.csv.gz", Some(Compression::Gzip)),
            ("B.CSV.GZ", Some(Compression::Gzip)),
            ("b.gzip", Some(Compression::Gzip)),
            ("b.csv.bz2", Some(Compression::Bzip2)),
            ("b.csv.xz", Some(Compression::Xz)),
            ("b.csv.zst", Some(Compression::Zstd)),
            ("b.zstd", Some(Compression::Zstd)),
            ("b.csv", None),
            ("b.none", None),
            ("part.gz/b", None),
            ("gz", None),
            ("", None),
        ] {
            assert_eq!(Compression::from_path(path), compression, "{path}");
            assert_eq!(CompressionOption::Auto.resolve(path), compression.unwrap_or_default(), "{path}");
            let fixed = CompressionOption::Fixed(Compression::Xz);
            assert_eq!(fixed.resolve(path), Compression::Xz, "{path}");
        }
    }

    #[test]
    fn each_name_reads_and_the_first_is_written() {
        for compression in Compression::ALL {
            for name in compression.names() {
                assert_eq!(name.parse::<Compression>().unwrap(), compression);
                let upper = name.to_uppercase();
                assert_eq!(
                    upper.parse::<CompressionOption>().unwrap(),
                    CompressionOption::Fixed(compression)
                );
            }
            assert_eq!(compression.to_string().parse::<Compression>().unwrap(), compression);
        }
        assert_eq!("auto".parse::<CompressionOption>().unwrap(), CompressionOption::Auto);
        assert_eq!(CompressionOption::default().to_string(), "auto");
    }

    #[test]
    fn other_names_are_refused_with_a_list() {
        let error = "lz4".parse::<CompressionOption>().unwrap_err().to_string();
        assert!(
            error.contains("compression can't be \"lz4\": auto, none (or uncompressed), gzip (gz)"),
            "{error}"
        );
        let error = "auto".parse::<Compression>().unwrap_err().to_string();
        assert!(
            error.ends_with("none (or uncompressed), gzip (gz), bzip2 (bz2), xz or zstd (zst)"),
            "{error}"
        );
    }
}
