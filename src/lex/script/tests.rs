//! Golden vectors, one or more for each construct: what they say is fixed under `script/1`.

use proptest::prelude::*;

use super::scan::long_word_end;
use super::words::{KEY_BYTES, key};
use super::*;
use crate::lex::Family;

/// Writes each token as a letter for its kind and its text, and `¶` where a piece begins.
struct Shown<'t>(&'t [u8], Vec<String>);

impl Sink for Shown<'_> {
    fn token(&mut self, token: Token) {
        let letter = match token.kind {
            Kind::Name => "n:",
            Kind::Keyword => "k:",
            Kind::Property => "p:",
            Kind::Number => "#:",
            Kind::Text => "t:",
            Kind::Regex => "r:",
            Kind::Punct => "",
        };
        let text = String::from_utf8_lossy(token.of(self.0));
        self.1.push(format!("{letter}{text}"));
    }

    fn piece(&mut self) {
        self.1.push("¶".to_owned());
    }
}

fn shown(text: &str) -> String {
    let mut sink = Shown(text.as_bytes(), Vec::new());
    lex(text.as_bytes(), &mut sink);
    sink.1.join(" ")
}

/// The same without the marks of pieces.
#[track_caller]
fn assert_tokens(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        let found = shown(text).replace("¶ ", "");
        assert_eq!(&found, expected, "{text:?}");
    }
}

#[test]
fn words() {
    assert_tokens(&[
        ("a $b _c9 d", "n:a n:$b n:_c9 n:d"),
        (
            "abcdefg abcdefgh abcdefghi abcdefghijklmnopq",
            "n:abcdefg n:abcdefgh n:abcdefghi n:abcdefghijklmnopq",
        ),
        (
            "let of get instanceof instanceofs typeof undefined",
            "k:let n:of n:get k:instanceof n:instanceofs k:typeof n:undefined",
        ),
        (
            "é ñandú 变量 abcdefghé abcdefgé",
            "n:é n:ñandú n:变量 n:abcdefghé n:abcdefgé",
        ),
        ("a\u{a0}b\u{2028}c\u{feff}d\u{3000}e", "n:a n:b n:c n:d n:e"),
        (
            r"\u0061b a\u{62}c a\u62",
            r"n:\u0061b n:a\u{62}c n:a \ n:u62",
        ),
        ("this.if(x)/2/y", "k:this . p:if ( n:x ) / #:2 / n:y"),
        (
            "a.b?.c?.[d]?.(e)?.5:f",
            "n:a . p:b ?. p:c ?. [ n:d ] ?. ( n:e ) ? #:.5 : n:f",
        ),
        ("a\n  . /* b */ c", "n:a . p:c"),
        (
            "new.target import.meta",
            "k:new . p:target k:import . p:meta",
        ),
    ]);
}

#[test]
fn numbers() {
    assert_tokens(&[
        (
            "0 1_000 0xFF 0b1 0o7 017 08.5 .5 1. 1e9 1.5E-3 9n 0xAn",
            "#:0 #:1_000 #:0xFF #:0b1 #:0o7 #:017 #:08.5 #:.5 #:1. #:1e9 #:1.5E-3 #:9n #:0xAn",
        ),
        ("1..toString()", "#:1. . p:toString ( )"),
        ("1.5.a 07.a 1.e3.a", "#:1.5 . p:a #:07 . p:a #:1.e3 . p:a"),
        ("1in a", "#:1 k:in n:a"),
        ("a-1-.5", "n:a - #:1 - #:.5"),
        ("1e+ x", "#:1 n:e + n:x"),
    ]);
}

#[test]
fn strings() {
    assert_tokens(&[
        (
            r#""a" 'b' "" '\'' "\\" 'c"d'"#,
            r#"t:a t:b t: t:\' t:\\ t:c"d"#,
        ),
        ("'a\\\nb' 'c\\\r\nd'", "t:a\\\nb t:c\\\r\nd"),
        (
            "'open\nnext 'open\r\nnext 'end",
            "t:open n:next t:open n:next t:end",
        ),
        ("'\u{2028}'", "t:\u{2028}"),
        ("'\\", "t:\\"),
        ("'use strict';a", "t:use strict ; n:a"),
    ]);
}

#[test]
fn templates() {
    assert_tokens(&[
        ("``", "t:"),
        ("`a`", "t:a"),
        ("`a${b}c`", "t:a ${ n:b } t:c"),
        ("`${a}`", "${ n:a }"),
        ("`${a}${b}`/2", "${ n:a } ${ n:b } / #:2"),
        ("`$ $$ \\` \\${ {}`", "t:$ $$ \\` \\${ {}"),
        ("`a${{b:`${c}`}}d`", "t:a ${ { p:b : ${ n:c } } } t:d"),
        ("f`a\n\"b`", "n:f t:a\n\"b"),
        ("`${/`/}`", "${ r:` }"),
        // Nothing ends it.
        ("a ` b", "n:a ` n:b"),
        ("`a${b}c", "` n:a$ { n:b } n:c"),
        ("`a`+`b${c", "t:a + ` n:b$ { n:c"),
    ]);
}

#[test]
fn regular_expressions_and_divisions() {
    assert_tokens(&[
        ("/a/g", "r:a"),
        ("x=/\"/;y='z'", "n:x = r:\" ; n:y = t:z"),
        ("/[/\"]/u.test(x)", r#"r:[/"] . p:test ( n:x )"#),
        (r"/\/\[/", r"r:\/\["),
        ("a/b/c", "n:a / n:b / n:c"),
        ("a/=b/=c", "n:a /= n:b /= n:c"),
        ("x=/=/", "n:x = r:="),
        ("(a)/b/c [a]/b/c", "( n:a ) / n:b / n:c [ n:a ] / n:b / n:c"),
        ("if(a)/b/.test(c)", "k:if ( n:a ) r:b . p:test ( n:c )"),
        (
            "while(a)/b/.test(c)",
            "k:while ( n:a ) r:b . p:test ( n:c )",
        ),
        ("for(;;)/b/.test(c)", "k:for ( ; ; ) r:b . p:test ( n:c )"),
        ("for(a of/b/)c", "k:for ( n:a n:of r:b ) n:c"),
        (
            "for await(a of b)/c/.d",
            "k:for k:await ( n:a n:of n:b ) r:c . p:d",
        ),
        ("of/b/c", "n:of / n:b / n:c"),
        ("if((a)/b/c)/d/.e", "k:if ( ( n:a ) / n:b / n:c ) r:d . p:e"),
        ("{}/a/.b", "{ } r:a . p:b"),
        ("if(a){}/b/.c", "k:if ( n:a ) { } r:b . p:c"),
        ("x={}/a/b", "n:x = { } / n:a / n:b"),
        ("x=function(){}/a/b", "n:x = k:function ( ) { } / n:a / n:b"),
        ("function f(){}/a/.b", "k:function n:f ( ) { } r:a . p:b"),
        ("class a{}/b/.c", "k:class n:a { } r:b . p:c"),
        ("x=class{}/b/c", "n:x = k:class { } / n:b / n:c"),
        ("x=>{}\n/a/.b", "n:x => { } r:a . p:b"),
        ("a++/b/c", "n:a ++ / n:b / n:c"),
        ("a\n++/b/.c", "n:a ++ r:b . p:c"),
        ("this/a/b null/a/b", "k:this / n:a / n:b k:null / n:a / n:b"),
        ("return/a/.b", "k:return r:a . p:b"),
        ("typeof/a/", "k:typeof r:a"),
        ("a?/b/:/c/", "n:a ? r:b : r:c"),
        ("case/a/:/b/", "k:case r:a : r:b"),
        ("a:/b/", "n:a : r:b"),
        (
            "switch(a){case b:{}/c/.d}",
            "k:switch ( n:a ) { k:case n:b : { } r:c . p:d }",
        ),
        ("a!/b/c", "n:a ! / n:b / n:c"),
        ("a\n!/b/.c", "n:a ! r:b . p:c"),
        ("`${a}`/b/c", "${ n:a } / n:b / n:c"),
        ("/a/ /b/c", "r:a / n:b / n:c"),
        ("do{}while(a)/b/.c", "k:do { } k:while ( n:a ) r:b . p:c"),
        ("yield/a/", "k:yield r:a"),
        // No end on the line.
        ("x = /a\n'b'", "n:x = / n:a t:b"),
        ("x = /[/\n'b'", "n:x = / [ / t:b"),
        ("x = /\\", "n:x = / \\"),
    ]);
}

#[test]
fn comments() {
    assert_tokens(&[
        ("#!/bin/node 'x\na", "n:a"),
        ("a//'b\nc/*'*/d/**/e/*/ '*/f", "n:a n:c n:d n:e n:f"),
        ("a//b\u{2028}c//d\re", "n:a n:c n:e"),
        ("<!-- 'a\nb\n --> 'c\nd", "n:b n:d"),
        ("a<!--b", "n:a < ! -- n:b"),
        ("a-->b", "n:a -- > n:b"),
        ("a/*\n*/--> b\nc", "n:a n:c"),
        ("a /* open ' b", "n:a"),
    ]);
}

#[test]
fn operators_are_as_long_as_they_can_be() {
    let marks = "=> === !== == != = ++ += + -- -= - **= ** *= * %= % &&= && &= & ||= || |= | ??= ?? ?. ^= ^ ~ <<= << <= < >>>= >>> >>= >> >= > ... . , ; : @ !";
    for mark in marks.split(' ') {
        assert_eq!(mark_len(mark.as_bytes()), mark.len(), "{mark}");
        let longer = format!("{mark} ");
        assert_eq!(mark_len(longer.as_bytes()), mark.len(), "{mark}");
    }
    assert_eq!(mark_len(b"?.5"), 1);
    assert_eq!(mark_len(b"/="), 2);
    assert_tokens(&[("a>>>=b??=c**=d...e", "n:a >>>= n:b ??= n:c **= n:d ... n:e")]);
}

#[test]
fn members_of_objects() {
    assert_tokens(&[
        (
            "x={a:b,if:c,'d':e,1:f,[g]:h}",
            "n:x = { p:a : n:b , p:if : n:c , t:d : n:e , #:1 : n:f , [ n:g ] : n:h }",
        ),
        ("x={a,b}", "n:x = { p:a , p:b }"),
        (
            "x={a(){},get b(){},async*c(){},*d(){},async e(){},get:1,set(){}}",
            "n:x = { p:a ( ) { } , n:get p:b ( ) { } , n:async * p:c ( ) { } , * p:d ( ) { } , n:async p:e ( ) { } , p:get : #:1 , p:set ( ) { } }",
        ),
        (
            "x={a:b?c:d,e:f}",
            "n:x = { p:a : n:b ? n:c : n:d , p:e : n:f }",
        ),
        ("x={...a,b}", "n:x = { ... n:a , p:b }"),
        (
            "x={a:(b,c),d:[e,f]}",
            "n:x = { p:a : ( n:b , n:c ) , p:d : [ n:e , n:f ] }",
        ),
        (
            "x={a:b<c,d:e>f,g}",
            "n:x = { p:a : n:b < n:c , p:d : n:e > n:f , p:g }",
        ),
        (
            "const {a,b:c,d=1}=e",
            "k:const { p:a , p:b : n:c , p:d = #:1 } = n:e",
        ),
        ("f(({a,b:c})=>d)", "n:f ( ( { p:a , p:b : n:c } ) => n:d )"),
        ("{a:b,c}", "{ n:a : n:b , n:c }"),
        ("x=>{a:b}", "n:x => { n:a : n:b }"),
        ("return{a:b}", "k:return { p:a : n:b }"),
        ("a?{b:c}:{d:e}", "n:a ? { p:b : n:c } : { p:d : n:e }"),
        (
            "x={function:1,class:2}/a/b",
            "n:x = { p:function : #:1 , p:class : #:2 } / n:a / n:b",
        ),
    ]);
}

#[test]
fn members_of_classes() {
    assert_tokens(&[
        (
            "class A extends B{a(){}static b=1;#c=2;get d(){}}",
            "k:class n:A k:extends n:B { p:a ( ) { } k:static p:b = #:1 ; p:c = #:2 ; n:get p:d ( ) { } }",
        ),
        (
            "class A{static{b()}if(){c}*d(){}static=1}",
            "k:class n:A { k:static { n:b ( ) } p:if ( ) { n:c } * p:d ( ) { } p:static = #:1 }",
        ),
        (
            "class A{\na = b\nc\nd = e\n}",
            "k:class n:A { p:a = n:b p:c p:d = n:e }",
        ),
        (
            "class A{private a: B<C, D>; @F() b?: E}",
            "k:class n:A { n:private p:a : n:B < n:C , n:D > ; @ n:F ( ) p:b ? : n:E }",
        ),
        ("this.#a in b", "k:this . p:a k:in n:b"),
        ("x=class{a(){}}", "n:x = k:class { p:a ( ) { } }"),
        ("class A{a = x in y}", "k:class n:A { p:a = n:x k:in n:y }"),
        ("# a", "# n:a"),
    ]);
}

#[test]
fn imports_and_exports() {
    assert_tokens(&[
        (
            "import a,{b,c as d}from'e'",
            "k:import n:a , { p:b , n:c n:as n:d } n:from t:e",
        ),
        (
            "import{a as b,default as c}from'd'",
            "k:import { p:a n:as n:b , p:default n:as n:c } n:from t:d",
        ),
        (
            "import type{a}from'b'",
            "k:import n:type { p:a } n:from t:b",
        ),
        ("import*as a from'b'", "k:import * n:as n:a n:from t:b"),
        ("export{a as b,c}", "k:export { n:a n:as p:b , p:c }"),
        ("export default{a:b}", "k:export k:default { p:a : n:b }"),
        (
            "export default function(){}/a/.b",
            "k:export k:default k:function ( ) { } r:a . p:b",
        ),
        ("export const{a}=b", "k:export k:const { p:a } = n:b"),
        ("import('a').then(b)", "k:import ( t:a ) . p:then ( n:b )"),
    ]);
}

#[test]
fn types() {
    assert_tokens(&[
        (
            "function f(a?: B, c: D[]): void {}/a/.b",
            "k:function n:f ( n:a ? : n:B , n:c : n:D [ ] ) : k:void { } r:a . p:b",
        ),
        (
            "interface A { b: C; d?(): E\n f: G }",
            "n:interface n:A { p:b : n:C ; p:d ? ( ) : n:E p:f : n:G }",
        ),
        ("enum A { B = 1, C }", "k:enum n:A { p:B = #:1 , p:C }"),
        (
            "type A = { readonly b: Map<C, D>, e: F }",
            "n:type n:A = { n:readonly p:b : n:Map < n:C , n:D > , p:e : n:F }",
        ),
        ("x = <A>b", "n:x = < n:A > n:b"),
        ("x = <T,>(a) => 'b'", "n:x = < n:T , > ( n:a ) => t:b"),
        (
            "x = <T extends A>(a) => 'b'",
            "n:x = < n:T k:extends n:A > ( n:a ) => t:b",
        ),
        ("f<A<B>>(c)", "n:f < n:A < n:B >> ( n:c )"),
        ("a as B satisfies C", "n:a n:as n:B n:satisfies n:C"),
        (
            "class A { b(): C<D> { if (e) /f/.g } }",
            "k:class n:A { p:b ( ) : n:C < n:D > { k:if ( n:e ) r:f . p:g } }",
        ),
    ]);
}

#[test]
fn markup() {
    assert_tokens(&[
        (
            "x=<div className=\"y\">text {expr} </div>/2",
            "n:x = < t:div p:className = t:y > t:text { n:expr } / #:2",
        ),
        (
            "x=<A.B c d={e} {...f}/>",
            "n:x = < n:A . p:B p:c p:d = { n:e } { ... n:f } />",
        ),
        (
            "<><b>it's</b>\n 'c' <i/></>",
            "< > < t:b > t:it's t:'c' < t:i />",
        ),
        ("(<a-b c:d='\n\"'/>)", "( < t:a-b p:c:d = t:\n\" /> )"),
        (
            "return <a>{b.map(c => <d key={c}>{`e`}</d>)}</a>;",
            "k:return < t:a > { n:b . p:map ( n:c => < t:d p:key = { n:c } > { t:e } ) } ;",
        ),
        ("<A<B> c='d'>e</A>;'f'", "< n:A p:c = t:d > t:e ; t:f"),
        ("<a b=<c/>>d</a>;'e'", "< t:a p:b = < t:c /> > t:d ; t:e"),
        ("<a>{/* it's */}</a>;'e'", "< t:a > { } ; t:e"),
        (
            "<a // it's\n b='c' /* d */ />;'e'",
            "< t:a p:b = t:c /> ; t:e",
        ),
        // No markup.
        ("a<b>c</b>/d", "n:a < n:b > n:c < r:b>"),
        ("if (a <b) c", "k:if ( n:a < n:b ) n:c"),
        ("x = <a>it", "n:x = < n:a > n:it"),
        ("x = <a b='c' ; 'd'", "n:x = < t:a p:b = t:c ; t:d"),
        ("x = <a b='c'> 'd'", "n:x = < t:a p:b = t:c > t:d"),
        (
            "x = <a b='c'><d></d> it's 'e'\n'f'",
            "n:x = < t:a p:b = t:c > < t:d > n:it t:s  n:e t: t:f",
        ),
    ]);
}

#[test]
fn pieces_begin_where_statements_seem_to() {
    for (text, expected) in [
        ("", ""),
        ("a;b;;c", "¶ n:a ; ¶ n:b ; ; ¶ n:c"),
        (
            "'use strict';import a from'b'",
            "¶ t:use strict ; ¶ k:import n:a n:from t:b",
        ),
        (
            "function a(){b;c}var d=1;class e{}function f(){}",
            "¶ k:function n:a ( ) { n:b ; n:c } ¶ k:var n:d = #:1 ; ¶ k:class n:e { } ¶ k:function n:f ( ) { }",
        ),
        (
            "a = b\nc = {}\nfunction d() {}\n(e)",
            "¶ n:a = n:b ¶ n:c = { } ¶ k:function n:d ( ) { } ¶ ( n:e )",
        ),
        ("a\n  .b\n  + c\nin d", "¶ n:a . p:b + n:c k:in n:d"),
        (
            "if (a) {} else {}\ntry {} catch (b) {} finally {}\ndo {} while (c)",
            "¶ k:if ( n:a ) { } k:else { } ¶ k:try { } k:catch ( n:b ) { } k:finally { } ¶ k:do { } k:while ( n:c )",
        ),
        (
            "if (a)\n  b\nelse\n  c\nd",
            "¶ k:if ( n:a ) n:b k:else n:c ¶ n:d",
        ),
        (
            "export const a = () => {}\nexport default b",
            "¶ k:export k:const n:a = ( ) => { } ¶ k:export k:default n:b",
        ),
        ("@a()\n@b\nclass c {}", "¶ @ n:a ( ) @ n:b k:class n:c { }"),
        (
            "!function(){a;b}();c",
            "¶ ! k:function ( ) { n:a ; n:b } ( ) ; ¶ n:c",
        ),
        ("x = {\n}, y", "¶ n:x = { } , n:y"),
    ] {
        assert_eq!(shown(text), expected, "{text:?}");
    }
}

#[test]
fn brackets_that_do_not_match_do_not_lose_the_rest() {
    assert_tokens(&[
        (")]}'a'", ") ] } t:a"),
        ("({[a}'b'", "( { [ n:a } t:b"),
        ("{(}/a/.b", "{ ( } r:a . p:b"),
    ]);
    // Deeper than brackets are remembered.
    let deep = format!("{}/a/.b{}/c/d", "[".repeat(5_000), "]".repeat(5_000));
    assert!(shown(&deep).ends_with("] / n:c / n:d"));
}

/// Checks what every lexer promises, as far as single tokens go.
struct Promised {
    end: u32,
    text_len: u32,
    tokens: usize,
}

impl Sink for Promised {
    fn token(&mut self, token: Token) {
        assert!(token.start >= self.end, "in order, and apart");
        assert!(token.start <= token.end && token.end <= self.text_len);
        assert!(token.start < token.end || token.kind == Kind::Text);
        self.end = token.end;
        self.tokens += 1;
    }
}

fn promised(text: &[u8]) -> usize {
    let mut sink = Promised {
        end: 0,
        text_len: text.len() as u32,
        tokens: 0,
    };
    crate::lex::lex(Family::Script, text, &mut sink);
    sink.tokens
}

/// Pieces of scripts that mean something to the lexer.
fn shard() -> impl Strategy<Value = Vec<u8>> {
    let known = [
        "`", "${", "}", "{", "(", ")", "[", "]", "/", "//", "/*", "*/", "\\", "'", "\"", "<", "<a",
        "<a>", "</a>", "/>", ">", "<>", "</", "a", "b=", "if", "class", "function", "=>", "?", ":",
        ",", ";", "\n", "\r\n", " ", "#", "#!", "<!--", "-->", ".", "?.", "1", ".5", "0x", "1e",
        "\u{2028}", "\u{a0}", "é", "\\u0061", "\\u{", "case", "import", "export", "get", "static",
        "@", "!", "++", "for", "of", "extends",
    ];
    prop_oneof![
        8 => proptest::sample::select(known.to_vec()).prop_map(|it| it.as_bytes().to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 1..4),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_bytes_give_tokens_as_promised(text in proptest::collection::vec(any::<u8>(), 0..300)) {
        promised(&text);
    }

    #[test]
    fn any_shards_give_tokens_as_promised(shards in proptest::collection::vec(shard(), 0..60)) {
        promised(&shards.concat());
    }

    #[test]
    fn words_end_alike_however_they_are_read(text in "[a-zA-Z0-9_$ @\\[`{/:^é\u{a0}]{0,40}") {
        let text = text.as_bytes();
        for at in 0..text.len() {
            let (end, found) = word_and_key(text, at);
            prop_assert_eq!(end, long_word_end(text, at));
            let word = &text[at..end];
            if word.len() > KEY_BYTES {
                prop_assert_eq!(found, 0);
            } else if word.is_ascii() {
                prop_assert_eq!(found, key(word));
            }
        }
    }
}
