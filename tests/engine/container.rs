//! The command line under a memory limit of the kernel, as in a small container.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::support::{folder, gzip, path};

/// The limits for a work for which other engines need at least 128 MB.
const LIMITS: [usize; 2] = [32_000_000, 24_000_000];

/// A group of processes with a memory limit, page cache included, and without swap.
struct Group {
    folder: PathBuf,
}

impl Group {
    /// `None` if the machine has no memory controller, or this process may not use it.
    fn new(limit: usize) -> Option<Self> {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("csv-stream-{}-{}", std::process::id(), COUNT.fetch_add(1, Relaxed));
        let (v1, v2) = (Path::new("/sys/fs/cgroup/memory"), Path::new("/sys/fs/cgroup"));
        let is_v2 = v2.join("cgroup.controllers").exists();
        let folder = if is_v2 { v2 } else { v1 }.join(name);
        fs::create_dir(&folder).ok()?;
        let group = Group { folder };
        let (file, swap) = match is_v2 {
            true => ("memory.max", "memory.swap.max"),
            false => ("memory.limit_in_bytes", "memory.swappiness"),
        };
        // A kernel without swap has no file for it.
        let _ = fs::write(group.folder.join(swap), "0");
        fs::write(group.folder.join(file), limit.to_string()).ok()?;
        Some(group)
    }

    /// Runs the command line in the group.
    fn run(&self, arguments: &[&str]) -> Output {
        // The shell joins the group and becomes the command.
        Command::new("sh")
            .args(["-c", "echo $$ > \"$0\" && exec \"$@\""])
            .arg(self.folder.join("cgroup.procs"))
            .arg(env!("CARGO_BIN_EXE_csv-stream"))
            .args(arguments)
            .output()
            .unwrap()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.folder);
    }
}

/// About 120 bytes a row; half of the texts are quoted.
fn narrow(rows: u64) -> String {
    let mut text = String::from("id,price,day,remark,note\n");
    for row in 0..rows {
        let (cents, day) = (row % 100, row % 28 + 1);
        writeln!(
            text,
            "{row},{row}.{cents:02},2024-02-{day:02},\"a quoted, or even \"\"doubly quoted\"\"\nremark\",{:0>40}",
            row * 7
        )
        .unwrap();
    }
    text
}

/// 10 KB a row.
fn wide(rows: u64) -> String {
    let mut text = String::from("id,text\n");
    for row in 0..rows {
        writeln!(text, "{row},\"{}\"", format!("{row:013}, \n").repeat(640)).unwrap();
    }
    text
}

#[tokio::test]
async fn a_small_container_is_enough() {
    const NARROW: u64 = 500_000;
    const WIDE: u64 = 6_000;

    let text = narrow(NARROW);
    let packed = gzip(text.as_bytes()).await;
    let files = folder(&[
        ("narrow.csv", text.as_bytes()),
        ("narrow.csv.gz", &packed),
        ("wide.csv", wide(WIDE).as_bytes()),
    ]);
    let sum = |rows: u64| rows * (rows - 1) / 2;
    for limit in LIMITS {
        let Some(group) = Group::new(limit) else {
            // This bypasses the test harness, which captures the output of tests that pass.
            let message =
                "SKIPPED: no memory cgroup that can be written; nothing was tested in a small container\n";
            std::io::stderr().write_all(message.as_bytes()).unwrap();
            return;
        };
        for (file, columns, expected) in [
            ("narrow.csv", "count(*), sum(id), max(length(remark))", format!("{NARROW},{},40", sum(NARROW))),
            (
                "narrow.csv.gz",
                "count(*), sum(id), max(length(remark))",
                format!("{NARROW},{},40", sum(NARROW)),
            ),
            ("wide.csv", "count(*), sum(id), max(length(text))", format!("{WIDE},{},10240", sum(WIDE))),
        ] {
            let sql = format!("SELECT {columns} FROM '{}'", path(&files, file));
            let output = group.run(&["query", &sql, "--format", "csv"]);
            let (stdout, stderr) =
                (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            assert!(output.status.success(), "{file} in {limit} bytes: {}: {stderr}", output.status);
            assert_eq!(stdout.lines().nth(1), Some(expected.as_str()), "{file} in {limit} bytes");
        }
    }
}

/// The limit is enforced: if the machine has groups, a process that needs more than its limit is
/// killed.
#[test]
fn a_group_that_is_too_small_kills() {
    let Some(group) = Group::new(2_000_000) else { return };
    let output = group.run(&["query", "SELECT 1"]);
    assert!(!output.status.success(), "2 MB are not enough for a query engine");
}
