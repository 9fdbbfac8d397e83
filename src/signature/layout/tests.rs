use proptest::prelude::*;

use super::*;

fn is_same(family: Family, a: &str, b: &str) -> bool {
    let of = |text: &str| digest_of_text(family, text.as_bytes());
    of(a).is_some() && of(a) == of(b)
}

const PROGRAM: &str = "/* Says it. */\nimport { a } from './a';\n\n// Says what it is.\nexport function say(name: string) {\n  const text = 'it\\'s \"' + name;\n  return a(text, { name, text });\n}\n\ntype Kind = 'one' | 'two';\nconst f = (x) => x ? [1, 2] : { a: 1 };\nfunction g(): { a: string; b: number } {\n  return one && two;\n}\n";

#[test]
fn what_tools_do_to_layout_is_no_change() {
    for (from, to) in [
        ("  ", "\t"),
        (";\n  ", "; "),
        ("'./a'", "\"./a\""),
        ("'it\\'s \"'", "\"it's \\\"\""),
        (
            "a(text, { name, text })",
            "a(\n    text,\n    { name, text, },\n  )",
        ),
        ("= 'one' | 'two'", "=\n  | \"one\"\n  | 'two'"),
        ("[1, 2]", "[\n 1,\n 2,\n]"),
        ("return one && two;", "return (\n    one &&\n    two\n  );"),
        ("b: number }", "b: number;\n}"),
        ("=> x ?", "=>\n    x ?"),
        (" : { a: 1 };", " : ({ a: 1 });"),
    ] {
        let other = PROGRAM.replacen(from, to, 1);
        assert_ne!(other, PROGRAM, "{from}");
        assert!(is_same(Family::Script, PROGRAM, &other), "{to}");
    }
    let python = "def f(a, b):\n    if a:\n        g(a,\n          b)\n    h('x')\n";
    let other = "def f(a,b):\n  if a:\n\n    g(\n        a,\n        b,\n    )\n  h(\"x\")\n";
    assert!(is_same(Family::Python, python, other));
    let rust = "fn f() -> u8 { g(1, 2) }\n";
    assert!(is_same(
        Family::Rust,
        rust,
        "fn f() -> u8 {\n    g(\n        1,\n        2,\n    )\n}\n"
    ));
    assert!(is_same(
        Family::Css,
        "a .b{color:red}\n",
        "a .b {\n  color: red;\n}\n"
    ));
    assert!(is_same(
        Family::Clike,
        "int f() { return 1; }\n#define A 1\n",
        "int f()\n{\n    return 1;\n}\n#define A 1\n"
    ));
}

#[test]
fn what_is_said_is_a_change() {
    for (from, to) in [
        // A header that is gone, a comment that is, another word, a letter that nobody sees.
        ("/* Says it. */\n", ""),
        ("// Says what it is.\n", ""),
        ("Says what", "Said what"),
        ("name: string", "name\u{200b}: string"),
        ("Says it. */", "Says it.\u{202e} */"),
        // A statement goes into the comment above it.
        ("// Says what it is.\nexport", "// Says what it is. export"),
        ("'it\\'s \"'", "'it\\'s  \"'"),
        ("'it\\'s \"'", "`it\\'s \"`"),
        ("return a", "returna"),
        ("return a", "return\na"),
        ("[1, 2]", "[1, 2,,]"),
        ("(x) => x", "(x,) => (x, y)"),
        ("one && two", "one || two"),
        ("=> x ? [1, 2] : { a: 1 };", "=> { a: 1 };"),
    ] {
        let other = PROGRAM.replacen(from, to, 1);
        assert_ne!(other, PROGRAM, "{from}");
        assert!(!is_same(Family::Script, PROGRAM, &other), "{to}");
    }
    for (family, one, other) in [
        (Family::Script, "f((a, b));", "f(a, b);"),
        (Family::Script, "x = () => ({});", "x = () => {};"),
        (Family::Script, "x = (a + b) * c;", "x = a + b * c;"),
        (Family::Script, "x = [,];", "x = [];"),
        (Family::Script, "a\n++b;", "a++\nb;"),
        (
            Family::Python,
            "def f(a):\n    if a:\n        b()\n    c()\n",
            "def f(a):\n    if a:\n        b()\n        c()\n",
        ),
        (Family::Python, "x = (a,)\n", "x = (a)\n"),
        (Family::Python, "x = a[1,]\n", "x = a[1]\n"),
        (Family::Rust, "let x = (a,);", "let x = (a);"),
        (Family::Rust, "let c = 'a';", "let c = \"a\";"),
        (
            Family::Rust,
            "fn f() -> u8 { g(); }",
            "fn f() -> u8 { g() }",
        ),
        (Family::Clike, "x := f\n(y)\n", "x := f(y)\n"),
        (Family::Clike, "#define A\nint b;\n", "#define A int b;\n"),
        (Family::Css, "a .b { c: d }", "a.b { c: d }"),
        (Family::Css, "a :hover { c: d }", "a:hover { c: d }"),
    ] {
        assert!(!is_same(family, one, other), "{one} {other}");
    }
}

#[test]
fn texts_in_which_blanks_speak_have_none() {
    assert_eq!(digest(b""), None);
    let prose = b"Some words, and more of them.\n";
    assert_eq!(digest_of_text(Family::Generic, prose), None);
    assert_eq!(digest_of_text(Family::Shell, b"a b\n"), None);
    assert_eq!(digest_of_text(Family::Script, b"a\0b\n"), None);
    assert_eq!(digest_of_text(Family::Script, b"// words only\n"), None);
    let long = vec![b'a'; TEXT_MAX_BYTES + 1];
    assert_eq!(digest_of_text(Family::Script, &long), None);
}

/// What is published under this id stays.
#[test]
fn golden_vectors() {
    let digest = digest_of_text(Family::Script, PROGRAM.as_bytes()).unwrap();
    assert_eq!(
        blake3::Hash::from(digest).to_hex().as_str(),
        "c14010cdb390c18c7dd6c23ab519fefb53cebb455f7985a21d1fdce8ee66195c"
    );
}

proptest! {
    #[test]
    fn any_bytes_are_taken(text in proptest::collection::vec(any::<u8>(), 0..400)) {
        for family in Family::ALL {
            let _ = digest_of_text(family, &text);
        }
    }

    /// More blanks where there are some change nothing, and any other letter does.
    #[test]
    fn blanks_do_not_count_and_letters_do(
        words in proptest::collection::vec("[a-z]{1,6}|[0-9]{1,4}|[-+*;]|'[a-z ]{0,5}'|\\{|\\}", 1..40),
        blanks in proptest::collection::vec("[ \t]{1,3}", 40),
        at in 0_usize..40,
    ) {
        let one = words.join(" ");
        let other: String = words.iter().zip(&blanks).map(|(word, blank)| format!("{word}{blank}")).collect();
        prop_assert_eq!(digest_of_text(Family::Script, one.as_bytes()), digest_of_text(Family::Script, other.as_bytes()));
        let mut changed = words.clone();
        let at = at % changed.len();
        changed.insert(at, "zzz".to_owned());
        prop_assert_ne!(digest_of_text(Family::Script, one.as_bytes()), digest_of_text(Family::Script, changed.join(" ").as_bytes()));
    }
}
