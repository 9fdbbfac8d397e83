//! What every lexer promises, held against any bytes, against mixtures of what means something to one of them, and
//! against repeats that would make a careless one look at the same bytes again and again.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::shown::assert_promises;
use super::{Family, Sink, Token, family_of, header_end, lex, nature_of};

const FAMILIES: [Family; Family::ALL.len()] = Family::ALL;

/// What begins or ends something in one of the languages.
const MARKS: [&str; 84] = [
    "\"",
    "'",
    "`",
    "\"\"\"",
    "'''",
    "\\",
    "\n",
    "\r\n",
    " ",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "<",
    ">",
    "/",
    "//",
    "/*",
    "*/",
    "#",
    "##",
    "r#\"",
    "\"#",
    "br##\"",
    "b'",
    "'a",
    "R\"x(",
    ")x\"",
    "f\"",
    "rf'",
    "f'''",
    "{{",
    "}}",
    "${",
    "$a",
    "\\(",
    "$\"",
    "@\"",
    "$@\"",
    "$$\"\"\"",
    "#\"",
    "<?php ",
    "?>",
    "<<<A\n",
    "\nA;\n",
    ":",
    ";",
    ",",
    ".",
    "=",
    "->",
    "1",
    "0x",
    "1e",
    "a",
    "def ",
    "fn ",
    "fun ",
    "import Foundation\n",
    "package a\n",
    "using A;\n",
    "é",
    "<!--",
    "-->",
    "<script>",
    "</script>",
    "<style>",
    "<a b=",
    "#{",
    "%w[",
    "%(",
    "<<~A\n",
    "=begin\n",
    "$(",
    "$((",
    "case ",
    "esac",
    "url(",
    "@{",
    "@media ",
    "$$",
    "--",
];

fn assert_all(text: &[u8]) {
    for family in FAMILIES {
        assert_promises(family, text);
        let _ = nature_of(text, family);
        assert!(header_end(text, family) <= text.len());
    }
    let _ = family_of(text);
}

proptest! {
    #[test]
    fn any_bytes_are_accepted(text in proptest::collection::vec(any::<u8>(), 0..400)) {
        assert_all(&text);
    }

    #[test]
    fn any_mixture_of_marks_is_accepted(picks in proptest::collection::vec(0..MARKS.len(), 0..80)) {
        let text: String = picks.into_iter().map(|pick| MARKS[pick]).collect();
        assert_all(text.as_bytes());
    }
}

/// Texts with something of everything that a lexer keeps in mind.
const TEXTS: [&str; 5] = [
    "=begin\n=end\ndef a?(b: %w[c d], e: <<~F)\n  \"#{g 'h'} #{%q(i(j))}\" =~ /k#{l}/i\n  m\n  F\nend\n__END__\nn",
    "a() {\n  b=\"c ${d:-\"e\"} $(f `g` 'h')\" # i\n  case $j in k) cat <<-'L' ;; esac\n\tm\n\tL\n  $((1 << n))\n}\n",
    "@media (a) { .b-#{$c}:not([d='e']) { f: url( g;h ) #fff 1.5em; /* i */ } }\n$j: (k: l);\n@m: ~'@{n}'; // o\n",
    "<!DOCTYPE a><!-- b --><c d='e' @f=\"g('h')\" {...i} />{{ j }} k<script type=module>`l${m}`</script><style>n{o:p}</style>",
    "-- a\nCREATE FUNCTION b() AS $c$ 'd''e' E'\\'' $c$; /* f */ SELECT `g`, \"h\", [i], @j, 1.5e3\n# l\n",
];

#[test]
fn a_text_may_be_cut_anywhere() {
    for text in TEXTS {
        for at in 0..=text.len() {
            for family in FAMILIES {
                assert_promises(family, &text.as_bytes()[..at]);
                assert_promises(family, &text.as_bytes()[at..]);
            }
        }
    }
}

#[test]
fn what_opens_deep_is_read_to_its_end() {
    let nests = [
        (Family::Ruby, "\"#{", "}\""),
        (Family::Ruby, "%(", ")"),
        (Family::Shell, "\"$(", ")\""),
        (Family::Shell, "${a:-", "}"),
        (Family::Shell, "`", "`"),
        (Family::Css, "#{", "}"),
        (Family::Css, "a{", "}"),
        (Family::Html, "<a b={", "}>"),
        (Family::Html, "{{", "}}"),
        (Family::Sql, "(", ")"),
    ];
    for (family, open, close) in nests {
        let text = format!("{}1{}", open.repeat(20_000), close.repeat(20_000));
        assert_promises(family, text.as_bytes());
    }
}

struct Count(u64);

impl Sink for Count {
    fn token(&mut self, _: Token) {
        self.0 += 1;
    }
}

#[test]
fn repeats_are_read_in_linear_time() {
    /// Of each repeat: where nothing is optimised, what is read byte by byte shows; else also what is searched quickly.
    const BYTES: usize = if cfg!(debug_assertions) {
        30_000
    } else {
        2_000_000
    };
    /// Linear lexers take milliseconds, quadratic ones minutes.
    const PATIENCE: Duration = Duration::from_secs(2);
    let mut repeats: Vec<String> = MARKS.iter().map(|mark| (*mark).to_owned()).collect();
    for first in [
        "\"", "'", "`", "/*", "r#\"", "R\"x(", "f\"{", "f'''{", "\"${", "\"\\(", "$\"{", "<<<A\n",
        "#\"", "\\",
    ] {
        for second in ["\"", "\\", "'", "\n", "a", "\\\"", "/*", "*", "#", "{"] {
            repeats.push(format!("{first}{second}"));
        }
    }
    let heads = [
        "",
        "package a\nimport \"b\"\n",
        "import Foundation\nlet a\n",
        "package a.b\nfun c()\n",
        "using A;\nnamespace B;\n",
        "<?php ",
        "package a.b;\n",
    ];
    for repeat in &repeats {
        for family in FAMILIES {
            for head in heads {
                if !head.is_empty() && family != Family::Clike {
                    continue;
                }
                let text = format!("{head}{}", repeat.repeat(BYTES / repeat.len()));
                let begun = Instant::now();
                lex(family, text.as_bytes(), &mut Count(0));
                assert!(
                    begun.elapsed() < PATIENCE,
                    "{family:?}: {head:?} {repeat:?}"
                );
            }
        }
        let text = repeat.repeat(BYTES / repeat.len());
        let begun = Instant::now();
        let family = family_of(text.as_bytes());
        let _ = nature_of(text.as_bytes(), family);
        let _ = header_end(text.as_bytes(), family);
        assert!(begun.elapsed() < PATIENCE, "{repeat:?}");
    }
    // Delimiters that are all different, of which none closes.
    let mut raw = String::new();
    let mut other = String::new();
    for number in 0..30_000 {
        raw.push_str(&format!("r{}\"", "#".repeat(number % 256)));
        other.push_str(&format!("R\"{number}( <<<A{number}\n"));
    }
    for (family, text) in [
        (Family::Rust, raw),
        (Family::Clike, other.clone()),
        (Family::Clike, format!("<?php {other}")),
    ] {
        let begun = Instant::now();
        lex(family, text.as_bytes(), &mut Count(0));
        assert!(begun.elapsed() < PATIENCE, "{family:?}");
    }
}
