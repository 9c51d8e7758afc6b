//! The rules of the architecture, checked on the source as text: the imports between layers, the
//! places of `unsafe`, the contents of a `mod.rs`, and the length of a file.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The layers that a layer (a module or a file right under `src`) may name as `crate::…`, in
/// addition to itself. A layer that is missing here may name none.
const IMPORTS: [(&str, &[&str]); 15] = [
    ("error", &[]),
    ("simd", &[]),
    ("grammar", &["error"]),
    ("parse", &["error", "grammar", "simd"]),
    ("budget", &["error", "parse"]),
    ("internal", &["grammar", "parse"]),
    ("decode", &["budget", "error", "grammar", "parse", "simd"]),
    ("infer", &["decode", "error", "grammar", "parse", "simd"]),
    ("input", &["budget", "error", "grammar"]),
    ("client", &[]),
    ("stream", &["budget", "decode", "error", "grammar", "infer", "input", "parse"]),
    ("datasource", &["budget", "decode", "error", "grammar", "infer", "input", "parse", "stream"]),
    ("session", &["datasource", "input"]),
    ("main", &["cli"]),
    ("cli", &[]),
];

/// The layers of the binary. They use the library as any other program does.
const BINARY: [&str; 2] = ["main", "cli"];

/// The files that may contain `unsafe`: the vendor's instructions, and the array of views whose
/// strings are known to be UTF-8.
const UNSAFE: [&str; 3] = ["simd/x86_64.rs", "simd/aarch64.rs", "decode/views.rs"];

/// Words that mark something as unfinished, or as left over.
const LEFTOVERS: [&str; 7] =
    ["todo!", "unimplemented!", "dbg!", "allow(dead_code)", "allow(unused", "TODO", "FIXME"];

/// The layers that may name DataFusion.
const DATAFUSION: [&str; 4] = ["datasource", "session", "main", "cli"];

/// Names of crates that we depend on.
const CRATES: [&str; 4] = ["core", "arrow", "csv", "datafusion"];

const LONGEST_FILE: usize = 600;

/// The folders whose files, and folders, must not import each other in a circle.
const WITHOUT_CYCLES: [&str; 13] = [
    "error",
    "simd",
    "grammar",
    "parse",
    "budget",
    "decode",
    "infer",
    "stream",
    "stream/range",
    "datasource",
    "datasource/options",
    "datasource/pushdown",
    "session",
];

#[test]
fn imports_go_one_way() {
    for file in sources() {
        let layer = file.layer();
        if layer == "lib" {
            continue;
        }
        let allowed =
            IMPORTS.iter().find(|(name, _)| *name == layer).map_or(&[][..], |(_, allowed)| *allowed);
        for named in named_layers(&file.code()) {
            assert!(
                named == layer || allowed.contains(&named.as_str()),
                "{}: {layer} names crate::{named}; it may name {allowed:?}",
                file.name
            );
        }
    }
}

#[test]
fn the_files_of_a_folder_import_each_other_in_one_direction() {
    let sources = sources();
    for folder in WITHOUT_CYCLES {
        let mut imports: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for file in sources.iter().filter(|file| !file.name.ends_with("mod.rs")) {
            let Some(path) = file.name.strip_prefix(folder).and_then(|path| path.strip_prefix('/')) else {
                continue;
            };
            let (unit, is_nested) = match path.split_once('/') {
                Some((unit, _)) => (unit, true),
                None => (path.trim_end_matches(".rs"), false),
            };
            let named = named_siblings(&file.code_without_tests(), folder, is_nested);
            imports.entry(unit).or_default().extend(named);
        }
        assert!(imports.len() > 1, "{folder} has no files");
        for (unit, named) in &imports {
            // A name that is re-exported by the folder's `mod.rs` hides the file that it is in.
            let hidden = named.iter().find(|name| !imports.contains_key(name.as_str()));
            assert_eq!(hidden, None, "{folder}/{unit} names something that is no file of {folder}");
        }
        let graph: BTreeMap<&str, BTreeSet<&str>> = imports
            .iter()
            .map(|(&unit, named)| {
                let others = named.iter().map(String::as_str).filter(|&other| other != unit);
                (unit, others.collect())
            })
            .collect();
        let cycle = cycle(&graph);
        assert!(cycle.is_empty(), "{folder}: in a cycle, or between two, are {cycle:?}");
    }
}

/// The files that remain after those that import none of the others, or that none of the others
/// imports, have been removed again and again.
fn cycle<'a>(imports: &BTreeMap<&'a str, BTreeSet<&'a str>>) -> BTreeSet<&'a str> {
    let mut left: BTreeSet<&str> = imports.keys().copied().collect();
    loop {
        let is_imported = |file: &&str| left.iter().any(|other| imports[other].contains(file));
        let imports_some = |file: &&str| imports[file].iter().any(|other| left.contains(other));
        let both: BTreeSet<&str> =
            left.iter().copied().filter(|file| is_imported(file) && imports_some(file)).collect();
        if both.len() == left.len() {
            return left;
        }
        left = both;
    }
}

#[test]
fn datafusion_is_named_on_top_only() {
    for file in sources() {
        let names_it = named_crates(&file.code()).contains("datafusion");
        let may = DATAFUSION.contains(&file.layer());
        assert!(may || !names_it, "{}: names DataFusion", file.name);
    }
}

/// Layers that need async are above those that don't.
#[test]
fn the_decoder_is_without_async() {
    for file in sources() {
        if ["error", "simd", "grammar", "parse", "budget", "decode", "infer"].contains(&file.layer()) {
            for named in ["tokio", "futures", "object_store", "bytes"] {
                assert!(!named_crates(&file.code()).contains(named), "{}: names {named}", file.name);
            }
            assert!(!has_word(&file.code(), "async"), "{}: async", file.name);
        }
    }
}

#[test]
fn the_library_does_not_know_the_binary_and_the_binary_knows_only_its_front() {
    for file in sources() {
        let is_binary = BINARY.contains(&file.layer());
        let mentions = file.code().contains("datafusion_csv_stream::");
        assert!(is_binary || !mentions, "{}: names its own crate from outside", file.name);
    }
}

#[test]
fn layers_do_not_reach_into_their_neighbours_files() {
    for file in sources() {
        assert!(!file.code().contains("#[path"), "{}: a module from another place", file.name);
    }
}

#[test]
fn unsafe_stands_in_the_vendor_files_and_says_why() {
    for file in sources() {
        let lines: Vec<&str> = file.text.lines().collect();
        for (number, line) in lines.iter().enumerate() {
            if !has_word(without_comment(line), "unsafe") {
                continue;
            }
            assert!(UNSAFE.contains(&file.name.as_str()), "{}:{}: unsafe", file.name, number + 1);
            // A method of an unsafe trait has the trait's contract; the note stands at the impl.
            if line.trim_start().starts_with("unsafe fn") {
                continue;
            }
            // The note stands above, with no other code in between.
            let above = lines[..number].iter().rev().take_while(|line| line.trim_start().starts_with("//"));
            let notes = above.filter(|line| line.contains("SAFETY:")).count();
            assert!(notes == 1, "{}:{}: unsafe without its SAFETY note", file.name, number + 1);
        }
    }
}

#[test]
fn nothing_is_left_over() {
    for file in sources() {
        for (number, line) in file.text.lines().enumerate() {
            for word in LEFTOVERS {
                assert!(!line.contains(word), "{}:{}: {word}", file.name, number + 1);
            }
        }
    }
}

#[test]
fn a_mod_file_has_no_logic() {
    for file in sources() {
        if file.name.ends_with("mod.rs") {
            let code = file.code();
            for word in ["fn", "impl", "struct", "enum", "trait"] {
                assert!(!has_word(&code, word), "{}: {word} in a mod.rs", file.name);
            }
            assert!(file.text.starts_with("//!"), "{}: no guide", file.name);
        }
    }
}

#[test]
fn a_file_has_one_subject_and_says_which() {
    for file in sources() {
        let lines = file.text.lines().count();
        assert!(lines <= LONGEST_FILE, "{}: {lines} lines", file.name);
        let is_test = file.name.ends_with("tests.rs") || file.name.contains("/tests/");
        assert!(
            is_test || file.name == "main.rs" || file.text.starts_with("//!"),
            "{}: no first line",
            file.name
        );
    }
}

#[test]
fn features_are_chosen_on_the_modules_of_the_library() {
    for file in sources() {
        let lines: Vec<&str> = file.text.lines().map(str::trim).collect();
        for (number, line) in lines.iter().enumerate() {
            let is_choice = without_comment(line).contains("feature =") && line.contains("cfg");
            if !is_choice {
                continue;
            }
            assert_eq!(file.name, "lib.rs", "{}:{}: {line}", file.name, number + 1);
            let what = lines[number + 1..]
                .iter()
                .find(|line| !line.starts_with("//") && !line.starts_with("#["))
                .expect("something follows an attribute");
            let is_module = ["mod ", "pub mod ", "pub use "].iter().any(|start| what.starts_with(start));
            assert!(is_module, "lib.rs:{}: a choice on {what}", number + 1);
        }
    }
}

#[test]
fn no_module_is_called_like_a_crate() {
    for file in sources() {
        for part in file.name.trim_end_matches(".rs").split('/') {
            assert!(!CRATES.contains(&part), "{}", file.name);
        }
        for line in file.text.lines() {
            let inline = line.trim_start().trim_start_matches("pub ").strip_prefix("mod ");
            let name = inline.map(|rest| rest.trim_end_matches([';', '{', ' ']));
            assert!(!name.is_some_and(|name| CRATES.contains(&name)), "{}: {line}", file.name);
        }
    }
}

/// The first rung needs only `std` and memchr. All other dependencies are optional.
#[test]
fn without_features_there_is_one_dependency() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("Cargo.toml can be read");
    let manifest: toml::Table = manifest.parse().expect("Cargo.toml is TOML");
    let dependencies = manifest["dependencies"].as_table().expect("dependencies");
    let is_optional =
        |value: &toml::Value| value.get("optional").and_then(toml::Value::as_bool) == Some(true);
    let always: Vec<_> =
        dependencies.iter().filter(|(_, value)| !is_optional(value)).map(|(name, _)| name).collect();
    assert_eq!(always, ["memchr"]);
    let dev = manifest["dev-dependencies"].as_table().expect("dev-dependencies");
    assert!(!dev.contains_key("datafusion"), "the parser's tests must not wait for DataFusion");
}

/// The rules find the violations that they are made for.
#[test]
fn the_rules_can_fail() {
    let named = |code: &str| named_layers(code).into_iter().collect::<Vec<_>>();
    assert_eq!(named("use crate::decode::x;"), ["decode"]);
    assert_eq!(named("use crate::{decode::{a, b}, error::Error};"), ["decode", "error"]);
    assert_eq!(named("use crate::{\n    decode,\n    stream,\n};"), ["decode", "stream"]);
    assert_eq!(named("let x = crate::stream::y(); pub(in crate::parse) fn z()"), ["parse", "stream"]);
    assert_eq!(named("pub(crate) use x;"), [""; 0]);
    let siblings = |code: &str, folder: &str, is_nested| {
        named_siblings(code, folder, is_nested).into_iter().collect::<Vec<_>>()
    };
    let code = "use super::a::B; use super::{c::D, e}; crate::parse::f::g(); use super::super::h::I;";
    assert_eq!(siblings(code, "parse", false), ["a", "c", "e", "f"]);
    assert_eq!(siblings(code, "parse", true), ["f", "h"]);
    assert_eq!(siblings("crate::stream::range::end::x()", "stream/range", false), ["end"]);
    let cyclic = [("a", &["b"][..]), ("b", &["c", "d"]), ("c", &["b", "e"]), ("d", &[]), ("e", &[])];
    let graph = |graph: &[(&'static str, &[&'static str])]| {
        graph.iter().map(|&(file, others)| (file, others.iter().copied().collect())).collect()
    };
    assert_eq!(cycle(&graph(&cyclic)).into_iter().collect::<Vec<_>>(), ["b", "c"]);
    assert!(cycle(&graph(&[("a", &["b"]), ("b", &["c"]), ("c", &[])])).is_empty());
    let crates = named_crates("use datafusion::x; crate::tokio::y; let z = futures::ready();");
    assert_eq!(crates.into_iter().collect::<Vec<_>>(), ["datafusion", "futures"]);
    assert!(has_word("unsafe {", "unsafe") && !has_word("unsafe_op_in_unsafe_fn", "unsafe"));
    assert_eq!(without_comment("a // unsafe"), "a ");
    assert_eq!(without_comment("//! unsafe"), "");
    let names: BTreeSet<String> = sources().into_iter().map(|file| file.name).collect();
    for name in ["lib.rs", "main.rs", "parse/mod.rs", "simd/x86_64.rs"] {
        assert!(names.contains(name), "{name} is not among {names:?}");
    }
}

struct Source {
    /// The path under `src`, with `/`.
    name: String,
    text: String,
}

impl Source {
    /// The module or file right under `src`.
    fn layer(&self) -> &str {
        let first = self.name.split('/').next().unwrap_or(&self.name);
        first.trim_end_matches(".rs")
    }

    /// The code without the tests at the end of the file, which may name anything.
    fn code_without_tests(&self) -> String {
        let code = self.code();
        let end = code.find("#[cfg(test)]\nmod tests").unwrap_or(code.len());
        code[..end].to_owned()
    }

    /// The text without comments, and so without links in documentation.
    fn code(&self) -> String {
        self.text.lines().map(|line| without_comment(line).to_owned() + "\n").collect()
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn sources() -> Vec<Source> {
    let src = root().join("src");
    let mut found = Vec::new();
    let mut folders = vec![src.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("src can be listed") {
            let path = entry.expect("src can be listed").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found
                    .push(Source { name: name(&src, &path), text: fs::read_to_string(&path).expect("text") });
            }
        }
    }
    found
}

fn name(src: &Path, path: &Path) -> String {
    let parts = path.strip_prefix(src).expect("under src").iter();
    parts.map(|part| part.to_str().expect("a plain name")).collect::<Vec<_>>().join("/")
}

/// The first names of paths with `::` that are not part of another path.
fn named_crates(code: &str) -> BTreeSet<String> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let starts = code.match_indices("::").filter_map(|(at, _)| {
        let word = code[..at].rsplit(|c| !is_part(c)).next()?;
        let before = &code[..at - word.len()];
        let is_crate = !["", "crate", "self", "super"].contains(&word) && !before.ends_with("::");
        is_crate.then(|| word.to_owned())
    });
    starts.collect()
}

/// The first names after `crate::`, in braces too.
fn named_layers(code: &str) -> BTreeSet<String> {
    named_after(code, "crate::")
}

/// The first names after the folder's own path, and those after `super::`, or after
/// `super::super::` for a file that is nested one folder deeper.
fn named_siblings(code: &str, folder: &str, is_nested: bool) -> BTreeSet<String> {
    let path = "super::".repeat(if is_nested { 2 } else { 1 });
    let starts = code.match_indices(&path).filter(|&(at, _)| !code[..at].ends_with("super::"));
    let mut named: BTreeSet<String> = starts.flat_map(|(at, _)| names_at(&code[at + path.len()..])).collect();
    named.remove("super");
    named.extend(named_after(code, &format!("crate::{}::", folder.replace('/', "::"))));
    named
}

/// The first names after a path, in braces too.
fn named_after(code: &str, path: &str) -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    for (at, _) in code.match_indices(path) {
        if code[..at].ends_with(|before: char| before == '_' || before == '$' || before.is_alphanumeric()) {
            continue;
        }
        named.extend(names_at(&code[at + path.len()..]));
    }
    named
}

/// The first name, or those in braces.
fn names_at(rest: &str) -> Vec<String> {
    match rest.strip_prefix('{') {
        Some(list) => top_level_items(list),
        None => first_word(rest).into_iter().collect(),
    }
}

/// The first word of each item of a list whose brace has been opened.
fn top_level_items(list: &str) -> Vec<String> {
    let mut depth = 0;
    let mut items = vec![String::new()];
    for c in list.chars() {
        match c {
            '}' if depth == 0 => break,
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => items.push(String::new()),
            c => items.last_mut().expect("there is one").push(c),
        }
    }
    items.iter().filter_map(|item| first_word(item.trim())).collect()
}

fn first_word(text: &str) -> Option<String> {
    let word: String = text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    (!word.is_empty()).then_some(word)
}

fn without_comment(line: &str) -> &str {
    // A `//` after a colon belongs to a URL in a string.
    let comment = line.match_indices("//").find(|(at, _)| !line[..*at].ends_with(':'));
    comment.map_or(line, |(at, _)| &line[..at])
}

fn has_word(code: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word)
        .any(|(at, _)| !code[..at].ends_with(is_part) && !code[at + word.len()..].starts_with(is_part))
}
