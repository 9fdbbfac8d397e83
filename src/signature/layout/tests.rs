use proptest::prelude::*;

use super::*;

fn is_same(family: Family, a: &str, b: &str) -> bool {
    let of = |text: &str| digest_of_text(Rules::Second, family, text.as_bytes());
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
fn what_the_rules_of_before_took_for_a_change_is_none() {
    for (one, other) in [
        // A template within what is listed.
        (
            "a({ b: `${c[0]}-${d}` });",
            "a({\n  b: `${c[0]}-${d}`,\n});",
        ),
        ("x = y as A | undefined;", "x = y as\n  | A\n  | undefined;"),
        (
            "type T = A extends B | C ? D : E;",
            "type T = A extends\n  | B\n  | C\n  ? D\n  : E;",
        ),
        (
            "for (i = 0; i < n; ++i) {}",
            "for (\n  i = 0;\n  i < n;\n  ++i\n) {}",
        ),
        ("log(`a\n    b ${c}`);", "log(`a\r\n\t\tb ${c}`);"),
    ] {
        assert!(is_same(Family::Script, one, other), "{other}");
        let before = |text: &str| digest_of_text(Rules::First, Family::Script, text.as_bytes());
        assert!(
            before(one).is_some() && before(one) != before(other),
            "{other}"
        );
    }
    let python = "def f():\n    \"\"\"Says.\n\n    More.\n    \"\"\"\n    g()\n";
    assert!(is_same(
        Family::Python,
        python,
        &python.replace("    ", "  ")
    ));
    assert!(!is_same(
        Family::Python,
        python,
        &python.replace("Says.", "Says it.")
    ));
    for (one, other) in [
        ("log(`a\n b ${c}`);", "log(`a\nb  ${c}`);"),
        ("log(`a\n b`);", "log(`a b`);"),
        ("log(`a\n\n b`);", "log(`a\n b`);"),
        ("a = b as | c;", "a = b | c;"),
        // Variables may be called so.
        ("if (is & 1) f();", "if (is | 1) f();"),
        ("f(x.as & y);", "f(x.as | y);"),
        ("for (x of is & 1) f();", "for (x of is | 1) f();"),
        ("x\nas & y", "x\nas | y"),
        ("a\n++b;", "a++\nb;"),
        ("a()\n++b;", "a()++\nb;"),
    ] {
        assert!(!is_same(Family::Script, one, other), "{other}");
    }
}

#[test]
fn json_has_no_blanks_outside_its_strings() {
    let json = r#"{"a": [1, -2.5e3, true], "b": {"c d": "x  \"y\" z", "e": null}}"#;
    let is_json = |text: &str| plain::of_json(text.as_bytes()).is_some();
    for other in [
        json.replace(", ", ",\r\n\t"),
        json.replace(": ", " :"),
        format!("\n{json}\n"),
        r#"{"a":[1,-2.5e3,true],"b":{"c d":"x  \"y\" z","e":null}}"#.to_owned(),
    ] {
        // Whatever family its words speak for.
        for family in [Family::Generic, Family::Script] {
            assert!(is_same(family, json, &other), "{other}");
        }
    }
    for (from, to) in [
        ("c d", "c  d"),
        ("x  ", "x "),
        ("\"a\": [1", "\"a\": [\"1\""),
        ("1, ", "1 "),
        ("true", "false"),
        ("null", "\"null\""),
        ("}}", "},}"),
    ] {
        let other = json.replacen(from, to, 1);
        assert_ne!(json, other);
        assert!(is_json(&other), "{other}");
        assert!(!is_same(Family::Generic, json, &other), "{other}");
    }
    // Keys keep their order, and words and strings do not run together.
    assert!(!is_same(
        Family::Generic,
        r#"{"a":1,"b":2}"#,
        r#"{"b":2,"a":1}"#
    ));
    assert!(!is_same(Family::Generic, "[1 2]", "[12]"));
    assert!(is_same(Family::Generic, "[1] 2", "[1]2"));
    for none in [
        "{\"a\": 1 // one\n}",
        "{\"a\": \"b\nc\"}",
        "{a: 1}",
        "{\"a\": yes}",
        "[\"a",
        "[\"a\\",
        "[-]",
        "\"a\"",
        "12",
        "",
    ] {
        assert!(!is_json(none), "{none}");
    }
}

#[test]
fn lines_keep_their_words_and_their_depth() {
    let yaml = "a:\n  b: 1\n  c:\n    - \"x  y\"\nd: it's so\n";
    for other in [
        yaml.replace("  ", "\t").replace("\"x\ty\"", "\"x  y\""),
        yaml.replace("\n", "\r\n"),
        yaml.replace(": ", ":   "),
        yaml.replace("d:", "\n\n   \nd:"),
        yaml.replace("\n  ", "\n    ")
            .replace("\n      ", "\n        "),
    ] {
        assert!(is_same(Family::Generic, yaml, &other), "{other}");
    }
    for (from, to) in [
        ("\n  c:", "\nc:"),
        ("x  y", "x y"),
        (": 1", ":1"),
        ("1\n", "1 "),
        ("it's so", "it's  not"),
    ] {
        let other = yaml.replacen(from, to, 1);
        assert_ne!(yaml, other);
        assert!(!is_same(Family::Generic, yaml, &other), "{other}");
    }
    // A command gets into the comment above it.
    let shell = "# Looks.\ncheck \"$1\" || exit 1\n";
    assert!(is_same(
        Family::Shell,
        shell,
        &shell.replace(" || ", "  ||  ")
    ));
    assert!(!is_same(Family::Shell, shell, &shell.replace(".\n", ". ")));
    // A program that has comments only.
    assert!(is_same(
        Family::Script,
        "// a  b\n//c\n",
        "  // a b\n\n  //c"
    ));
}

#[test]
fn what_has_no_text_has_no_form() {
    assert_eq!(digest(b""), None);
    assert_eq!(digest(b" \n\t\r\n"), None);
    for family in Family::ALL {
        assert_eq!(digest_of_text(Rules::Second, family, b"a\0b\n"), None);
    }
}

#[test]
fn the_rules_of_before_have_programs_only() {
    let before = |family, text: &[u8]| digest_of_text(Rules::First, family, text);
    assert_eq!(
        before(Family::Generic, b"Some words, and more of them.\n"),
        None
    );
    assert_eq!(before(Family::Shell, b"a b\n"), None);
    assert_eq!(before(Family::Script, b"a\0b\n"), None);
    assert_eq!(before(Family::Script, b"// words only\n"), None);
    let long = vec![b'a'; TEXT_MAX_BYTES + 1];
    assert_eq!(before(Family::Script, &long), None);
    // Long programs have their lines.
    let long = [b"a  b\n".repeat(TEXT_MAX_BYTES / 5), b"c".to_vec()].concat();
    let narrow = [b"a b\n".repeat(TEXT_MAX_BYTES / 5), b"c".to_vec()].concat();
    let after = |text: &[u8]| digest_of_text(Rules::Second, Family::Generic, text);
    assert_eq!(after(&long), after(&narrow));
}

/// What is published under these ids stays.
#[test]
fn golden_vectors() {
    let json = "{\"a\": [1, true], \"b\": \"c  d\"}\n";
    let prose = "# Title\n\n- it's  so\n  - \"x  y\"\n";
    let python = "def f(a, b):\n    if a:\n        return 'x'\n    g((a,), [b])\n";
    for (rules, family, text, hex) in [
        (
            Rules::First,
            Family::Script,
            PROGRAM,
            "c14010cdb390c18c7dd6c23ab519fefb53cebb455f7985a21d1fdce8ee66195c",
        ),
        (
            Rules::First,
            Family::Python,
            python,
            "6ffc84037823d97536209c5daff8cf7c0fbfa53f43d74d52ac2146f6b6283ed1",
        ),
        (
            Rules::Second,
            Family::Script,
            PROGRAM,
            "c14010cdb390c18c7dd6c23ab519fefb53cebb455f7985a21d1fdce8ee66195c",
        ),
        (
            Rules::Second,
            Family::Script,
            "a({ b: `${c}`, }, `x\n  y` as | D);\n",
            "b0267c30c1f0d330d51e64c59b005113a86720672acc9ac9890ae8e0522d079c",
        ),
        (
            Rules::Second,
            Family::Generic,
            json,
            "b85066255ce8fe88c55a68791f3722039f2b1b3dacc8d8a04f7047e39183593c",
        ),
        (
            Rules::Second,
            Family::Generic,
            prose,
            "10a1281c7aaf8a916f138aafb2918fb85655d27961d2cf804b9b6923956adfb2",
        ),
    ] {
        let digest = digest_of_text(rules, family, text.as_bytes()).unwrap();
        assert_eq!(
            blake3::Hash::from(digest).to_hex().as_str(),
            hex,
            "{rules:?} {text}"
        );
    }
}

proptest! {
    #[test]
    fn any_bytes_are_taken(text in proptest::collection::vec(any::<u8>(), 0..400)) {
        for family in Family::ALL {
            let _ = digest_of_text(Rules::First, family, &text);
            let _ = digest_of_text(Rules::Second, family, &text);
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
        prop_assert_eq!(digest_of_text(Rules::Second, Family::Script, one.as_bytes()), digest_of_text(Rules::Second, Family::Script, other.as_bytes()));
        let mut changed = words.clone();
        let at = at % changed.len();
        changed.insert(at, "zzz".to_owned());
        prop_assert_ne!(digest_of_text(Rules::Second, Family::Script, one.as_bytes()), digest_of_text(Rules::Second, Family::Script, changed.join(" ").as_bytes()));
    }
}

/// What tokens other readers of JSON see in a text whatever its layout is the same here.
#[test]
fn json_is_read_as_others_read_it() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let leaf = prop_oneof![
        any::<bool>().prop_map(serde_json::Value::from),
        any::<i64>().prop_map(serde_json::Value::from),
        any::<f64>().prop_map(serde_json::Value::from),
        any::<String>().prop_map(serde_json::Value::from),
    ];
    let value = leaf.prop_recursive(4, 30, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(serde_json::Value::from),
            proptest::collection::btree_map(".{0,6}", inner, 0..6)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    });
    let pair = (proptest::collection::vec(value, 0..4), any::<bool>());
    runner
        .run(&pair, |(values, more)| {
            let wide = serde_json::to_string_pretty(&values).unwrap();
            let dense = serde_json::to_string(&values).unwrap();
            let of = |text: &str| plain::of_json(text.as_bytes());
            prop_assert!(of(&wide).is_some());
            prop_assert_eq!(of(&wide), of(&dense));
            let mut other = values.clone();
            other.push(serde_json::Value::from(more));
            prop_assert_ne!(of(&wide), of(&serde_json::to_string(&other).unwrap()));
            Ok(())
        })
        .unwrap();
}
