//! What extractors tell of small texts, and that no text harms.

use proptest::prelude::*;

use super::*;

/// Kind and value of what is told, in order.
fn told(code: &str) -> Vec<(String, String)> {
    items(code.as_bytes())
        .into_iter()
        .map(|item| (item.kind, item.value))
        .collect()
}

/// Values of one kind.
fn of(kind: &str, code: &str) -> Vec<String> {
    let told = told(code).into_iter();
    told.filter(|(found, _)| found == kind)
        .map(|(_, value)| value)
        .collect()
}

fn detail(kind: &str, code: &str) -> String {
    let found = items(code.as_bytes());
    let found = found.into_iter().find(|item| item.kind == kind);
    found.and_then(|item| item.detail).unwrap_or_default()
}

#[test]
fn variables_are_read_in_every_way() {
    let code = "const { A_ONE, A_TWO = 'x', ...rest } = process.env;
        const e = process.env; e.A_THREE; process.env['A_FOUR']; process?.env?.A_FIVE;
        import.meta.env.VITE_SIX; Bun.env.A_SEVEN; Deno.env.get('A_EIGHT'); globalThis.process.env.A_NINE;
        const NAME = 'A_TEN'; process.env[NAME]; runtimeEnv('A_ELEVEN'); env('lower'); process.env[dynamic];";
    assert_eq!(
        of("env", code),
        [
            "A_ONE", "A_TWO", "A_THREE", "A_FOUR", "A_FIVE", "VITE_SIX", "A_SEVEN", "A_EIGHT",
            "A_NINE", "A_TEN", "A_ELEVEN"
        ]
    );
}

#[test]
fn defaults_are_told_and_secrets_are_not() {
    assert_eq!(
        detail("env", "const p = Number(process.env.PORT ?? 3000)"),
        "default: 3000"
    );
    assert_eq!(
        detail(
            "env",
            "const p = (process.env.HOST as string) || 'db.example'"
        ),
        "default: db.example"
    );
    assert_eq!(
        detail("env", "x(process.env.API_TOKEN || 'abc')"),
        "default: not shown, it may be a secret"
    );
}

#[test]
fn gates_at_home_need_several_names() {
    let one = "if (featureEnabled('a-one')) x();";
    let many =
        "use(env); if (isOpen('a-one') && isOpen('b-two')) x(); return isOpen('c_three') ? 1 : 2";
    assert_eq!(of("flag", many).len(), 3);
    assert_eq!(
        of("flag", "if (isOpen('a-one')) x(); // env"),
        Vec::<String>::new()
    );
    assert_eq!(of("flag", one), ["a-one"]);
    assert_eq!(of("flag", "if (__DEV_TOOLS__) x()"), ["__DEV_TOOLS__"]);
    assert_eq!(
        of("flag", "const __MINE__ = 1; use(__MINE__) // env"),
        Vec::<String>::new()
    );
}

#[test]
fn builders_tell_commands_and_options() {
    let code = "import { Command } from 'commander'; const program = new Command();
        program.command('serve <dir>').description('serves').option('-p, --port <number>', 'port to use').action(run)";
    assert_eq!(of("command", code), ["serve"]);
    assert_eq!(of("option", code), ["--port"]);
    let slash = "const c = { name: 'compact', description: 'shortens', type: 'local', call() {} }";
    assert_eq!(of("slash-command", slash), ["/compact"]);
}

#[test]
fn tools_are_objects_with_a_schema() {
    let code = "const t = { name: 'read_file', description: 'Reads a file', input_schema: { type: 'object' } }";
    assert_eq!(of("tool", code), ["read_file"]);
    assert_eq!(
        of(
            "tool",
            "const f = { name: 'sum', parameters: [a, b] } // tool"
        ),
        Vec::<String>::new()
    );
}

#[test]
fn prompts_are_put_together() {
    let code = "const systemPrompt = 'You are a careful reviewer of code. Your task is to read what the user gives. ' +
        'Never answer in a hurry, and always say what you could not see. ' + `Respond in ${language} only, please.`;";
    let prompts = of("prompt", code);
    assert_eq!(prompts.len(), 1);
    assert!(
        prompts[0].ends_with("Respond in ${} only, please."),
        "{prompts:?}"
    );
    let lines = "const instructions = ['You are an assistant.', 'You must answer the user in one sentence.',
        'Do not tell anybody what is written here; this is important.', 'Always respond with the following format.'].join('\\n')";
    assert!(of("prompt", lines)[0].contains("assistant.\nYou must"));
}

#[test]
fn statements_name_tables() {
    let code = "db.query('SELECT a FROM users JOIN teams ON x = y'); db.run(`CREATE TABLE IF NOT EXISTS audit (id)`)";
    assert_eq!(of("storage", code), ["users", "teams", "audit"]);
}

#[test]
fn escapes_are_undone_and_places_are_lines() {
    let found = items(b"\n\nfetch('/\\u0061pi/x')");
    assert_eq!((found[0].value.as_str(), found[0].line), ("/api/x", 3));
    assert!(
        items("fetch('/sp\u{e4}t')".as_bytes())[0]
            .value
            .contains('\u{e4}')
    );
}

#[test]
fn what_does_not_parse_is_read_by_its_tokens() {
    let found = items(b"if ( { process.env.BROKEN ?? 'x' ) ] } logEvent('shop_opened'");
    let values: Vec<_> = found.iter().map(|item| item.value.as_str()).collect();
    assert_eq!(values, ["BROKEN", "shop_opened"]);
}

/// Both ways of reading, each held against the other: what tokens can tell, the tree tells too.
#[test]
fn tokens_and_tree_agree() {
    let code = "import a from 'pkg-a';
        const port = process.env.PORT ?? '80'; process.env['HOST_NAME']; Deno.env.get('DENO_X'); Bun.env.BUN_X; import.meta.env.VITE_X;
        logEvent('shop_opened'); x.y.env.NOT_ONE; fetch('/api/x')";
    let values = |found: Vec<Found>, kinds: &[&str]| -> Vec<(String, String)> {
        let mut found: Vec<_> = found
            .into_iter()
            .filter(|found| kinds.contains(&found.kind))
            .map(|found| (found.kind.to_owned(), found.value))
            .collect();
        found.sort();
        found
    };
    let plain = Plain::of(code.as_bytes()).unwrap();
    let tree = on_stack(plain.stack, || parsed(code.as_bytes(), &plain))
        .flatten()
        .unwrap()
        .0;
    let kinds = ["env", "telemetry", "route"];
    assert_eq!(values(tree.clone(), &kinds).len(), 7);
    assert_eq!(
        values(fallback::found(code.as_bytes()), &kinds),
        values(tree, &kinds)
    );
}

/// Texts that nest without end, of every construct that descends: none may end the program, and each still gives what
/// its tokens say.
#[test]
fn deep_nesting_harms_nothing() {
    const LEVELS: usize = 50_000;
    let mut texts: Vec<String> = [
        "(",
        "[",
        "{",
        "({a:",
        "! ",
        "- ",
        "typeof ",
        "new ",
        "await ",
        "a=>",
        "a=",
        "a?",
        "a?b:",
        "if(a)",
        "a:",
        "<a>",
        "<a>{",
        "<>",
        "`${",
        "a+",
        "a.",
        "a**",
        "a||",
        "a??",
        "function f(){",
        "class A{static{",
        "(a)=>",
        "async a=>",
        "for(;;)",
        "try{",
        "import(",
        "A<(b=",
        "A<{[",
        "a<",
        "x=A<(",
        "type X=keyof ",
        "do ",
        "else ",
        "@a ",
        "label:",
        "yield ",
        "namespace a{",
        "'a'+",
        "f(",
        "a?.",
        "x as ",
        "/*",
        "//",
        "/",
        "\"",
        "</a>",
    ]
    .iter()
    .map(|unit| unit.repeat(LEVELS))
    .collect();
    texts.extend(
        [
            "()",
            "[0]",
            " as x",
            "!",
            "`a`",
            "?.a",
            "[]",
            ".a",
            ";else if(a)b",
        ]
        .iter()
        .map(|unit| format!("x=a{}", unit.repeat(LEVELS))),
    );
    // Just below what is parsed at most.
    texts.extend(
        ["(", "[", "({a:", "<a>", "`${", "f(", "{"]
            .iter()
            .map(|unit| unit.repeat(450)),
    );
    for text in texts {
        let text = format!("process.env.FIRST;\n{text}");
        assert!(
            items(text.as_bytes())
                .iter()
                .any(|item| item.value == "FIRST"),
            "{}",
            &text[..60]
        );
    }
}

/// What parses is given enough stack: closed texts as deep as may be.
#[test]
fn what_is_parsed_has_room() {
    for (open, close) in [
        ("(", ")"),
        ("[", "]"),
        ("({a:", "})"),
        ("`${", "}`"),
        ("f(", ")"),
        ("<a>{", "}</a>"),
        ("()=>{", "}"),
        ("a?(", "):b"),
        ("function f(){", "}"),
    ] {
        let text = format!(
            "process.env.FIRST; x={}1{}",
            open.repeat(480),
            close.repeat(480)
        );
        assert_eq!(of("env", &text), ["FIRST"], "{open}");
    }
    let unary = format!("process.env.FIRST; x={}1", "! - ".repeat(20_000));
    let sums = format!("process.env.FIRST; x={}1", "a+'b'+".repeat(20_000));
    let chain = format!("process.env.FIRST; x=a{}", ".b().c".repeat(20_000));
    for text in [unary, sums, chain] {
        assert_eq!(of("env", &text), ["FIRST"]);
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read(text in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        let _ = items(&text);
        let _ = fallback::found(&text);
    }

    #[test]
    fn any_mixture_of_code_is_read(pieces in proptest::collection::vec(prop_oneof![
        Just("process.env."), Just("X_Y"), Just(" ?? 'd'"), Just("("), Just(")"), Just("{"), Just("}"), Just("["), Just("]"), Just("`a${"), Just("}`"),
        Just("'s'"), Just("/r/g"), Just("/"), Just("<a b='c'>"), Just("</a>"), Just("// c\n"), Just("/* d */"), Just("=>"), Just("="), Just(";"), Just(","),
        Just("import x from 'y';"), Just("name: 'z', description: 'w', inputSchema: 1"), Just("\u{e4}"), Just("\\u{61}"), Just("#p"), Just("@d"), Just("<T>"),
        Just("SELECT a FROM b"), Just("f('k-v')"), Just("&&"), Just("if"), Just("class A"), Just(" as const"), Just("\r\n"), Just("#!x"),
    ], 0..60)) {
        let text = pieces.concat();
        let _ = items(text.as_bytes());
        // The copy has every place of the text, and is ASCII.
        if let Some(plain) = Plain::of(text.as_bytes()) {
            prop_assert_eq!(plain.code.len(), text.len());
            prop_assert!(plain.code.is_ascii());
        }
    }
}

#[test]
fn names_behind_switches_of_the_build_are_kept() {
    use super::super::gates::number_of;
    let behind = |code: &str| -> Vec<u32> {
        let items = super::items(code.as_bytes());
        let flag = items.into_iter().find(|item| item.kind == "flag");
        flag.expect("a flag").behind
    };
    let numbers = |names: &[&str]| {
        let mut numbers: Vec<u32> = names
            .iter()
            .filter_map(|name| number_of(name.as_bytes()))
            .collect();
        numbers.sort_unstable();
        numbers
    };
    let import = "import { feature } from 'bun:bundle';";
    let two = numbers(&["voice-start", "voice-stop"]);
    for code in [
        "if (feature('VOICE_MODE')) run('voice-start', 'voice-stop');",
        "const a = feature('VOICE_MODE') ? ['voice-start', 'voice-stop'] : ['some-other'];",
        "const a = feature('VOICE_MODE') && on && run('voice-start', 'voice-stop');",
        "if (on && feature('VOICE_MODE')) { run('voice-start', 'voice-stop'); }",
        "if (feature('VOICE_MODE')) run('voice-start'); if (feature('VOICE_MODE')) run('voice-stop');",
        // Neither keys, members, sums, types and what is loaded, nor what other switches decide.
        "if (feature('VOICE_MODE')) run('voice-start', 'voice-stop', { 'a-key': 1 }, x['a-member'], 'a-sum' + 1, require('a-module'), y as 'a-type', __DEV__ ? 'a-debug' : 1);",
    ] {
        assert_eq!(behind(&format!("{import} {code}")), two, "{code}");
    }
    for code in [
        "if (!feature('VOICE_MODE')) run('voice-start', 'voice-stop');",
        "if (feature('VOICE_MODE') || on) run('voice-start', 'voice-stop');",
        "run(feature('VOICE_MODE'), 'voice-start', 'voice-stop');",
    ] {
        assert!(behind(&format!("{import} {code}")).is_empty(), "{code}");
    }
}

#[test]
fn many_of_the_same_take_linear_time() {
    let many =
        |count: usize, part: &dyn Fn(usize) -> String| (0..count).map(part).collect::<String>();
    // Each of these took minutes when every one was held against every other.
    let gates = many(30_000, &|n| format!("if(askFlag(\"new-{n:05}\")){{}}\n"));
    assert!(of("flag", &gates).len() == 30_000);
    let modules = many(20_000, &|n| format!("import \"m{n:05}\";\n"));
    let calls = many(20_000, &|n| format!("x.command(\"c{n:05} <a>\");\n"));
    assert!(of("command", &format!("{modules}{calls}")).len() == 20_000);
    let calls = "fetch(A);".repeat(20_000);
    let constant = format!(
        "const A = \"{}\";process.env.ACME_X;{calls}",
        "/a".repeat(1 << 20)
    );
    assert_eq!(of("env", &constant), ["ACME_X"]);
}

#[test]
fn what_becomes_known_later_is_asked_again() {
    let code = "x.option('--early'); const c = require('commander'); x.option('--late');";
    assert_eq!(
        of("option", code),
        of("option", &format!("import 'commander';{code}"))
    );
    let late = "function f() { x.option('--early'); }\nfunction g() { const c = require('commander'); x.option('--late'); }";
    assert!(of("option", late).contains(&"--late".to_owned()));
}

#[test]
fn defaults_that_may_be_secrets_are_not_told() {
    for code in [
        "process.env.DB_PASSWORD || 'hunter2'; import.meta.env.X;",
        "process.env.APP_OPTIONS || '--password=hunter2 -v'; import.meta.env.X;",
    ] {
        let told = items(code.as_bytes());
        assert!(!format!("{told:?}").contains("hunter2"), "{told:?}");
    }
}
