//! Generators of programs, dumps and data for examples: the smallest file of each form that its own readers would take.
//!
//! Real files by the tools that write these forms are made by `fixtures/artifacts.py`; these here only show what a
//! rule is about.

use super::Generator;

pub(super) const GENERATORS: &[Generator] = &[
    ("asar", |names| asar(names)),
    ("core-dump", |_| elf(4, &[])),
    ("elf", |sections| elf(3, sections)),
    ("gguf", |_| gguf()),
    ("json-lines", |keys| json_lines(keys)),
    ("onnx", |_| onnx()),
    ("parquet", |columns| parquet(columns)),
    ("people-csv", |_| people_csv()),
    ("pyinstaller", |_| pyinstaller()),
    ("python-bytecode", |names| bytecode(names)),
    ("safetensors", |_| safetensors(256 << 10)),
    ("safetensors-small", |_| safetensors(64)),
    ("sql-dump", |kinds| sql_dump(kinds)),
    ("sqlite", |columns| sqlite(columns)),
    ("wasm", |names| wasm(names)),
];

fn safetensors(bytes: usize) -> Vec<u8> {
    let header = format!(
        "{{\"__metadata__\":{{\"format\":\"pt\"}},\"w\":{{\"dtype\":\"F32\",\"shape\":[{}],\"data_offsets\":[0,{bytes}]}}}}",
        bytes / 4
    );
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.as_bytes());
    file.resize(file.len() + bytes, 0x3f);
    file
}

/// A text as GGUF has it: its length in eight bytes first.
fn gguf_text(text: &str) -> Vec<u8> {
    [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat()
}

fn gguf() -> Vec<u8> {
    const STRING: u32 = 8;
    let mut file = b"GGUF\x03\0\0\0".to_vec();
    file.extend([1_u64, 1].map(u64::to_le_bytes).concat());
    file.extend(gguf_text("general.architecture"));
    file.extend(STRING.to_le_bytes());
    file.extend(gguf_text("llama"));
    file.extend(gguf_text("output.weight"));
    file.extend(1_u32.to_le_bytes());
    file.extend(65_536_u64.to_le_bytes());
    file.extend([0; 12]);
    file.resize(file.len() + (256 << 10), 0x3f);
    file
}

/// A field of a protocol buffer that has a length.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let mut length = content.len();
    let mut bytes = vec![number << 3 | 2];
    while length >= 0x80 {
        bytes.push(length as u8 | 0x80);
        length >>= 7;
    }
    bytes.push(length as u8);
    [&bytes[..], content].concat()
}

fn onnx() -> Vec<u8> {
    let node = [field(1, b"x"), field(2, b"y"), field(4, b"Relu")].concat();
    let tensor = [b"\x08\x02\x10\x01".to_vec(), field(9, &[0x3f; 128 << 10])].concat();
    let graph = [field(1, &node), field(2, b"net"), field(5, &tensor)].concat();
    [b"\x08\x07".to_vec(), field(2, b"sample"), field(7, &graph)].concat()
}

/// A database of one page with one table, as the file format has it.
fn sqlite(columns: &[&str]) -> Vec<u8> {
    const PAGE: usize = 4096;
    let mut page = vec![0; PAGE];
    let mut put = |at: usize, bytes: &[u8]| page[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, b"SQLite format 3\0\x10\0\x01\x01\0\x40\x20\x20");
    put(28, &1_u32.to_be_bytes());
    let cells: u16 = u16::from(!columns.is_empty());
    put(100, &[13, 0, 0]);
    put(103, &cells.to_be_bytes());
    if cells > 0 {
        let statement = format!("CREATE TABLE records({})", columns.join(", "));
        let text = |length: usize| {
            let kind = 13 + 2 * length;
            vec![0x80 | (kind >> 7) as u8, kind as u8 & 0x7f]
        };
        let header = [text(5), text(7), text(7), vec![1], text(statement.len())].concat();
        let body = [&b"tablerecordsrecords\x02"[..], statement.as_bytes()].concat();
        let record = [&[header.len() as u8 + 1][..], &header, &body].concat();
        let length = record.len();
        let cell = [
            &[0x80 | (length >> 7) as u8, length as u8 & 0x7f, 1][..],
            &record,
        ]
        .concat();
        let at = PAGE - cell.len();
        put(at, &cell);
        put(108, &(at as u16).to_be_bytes());
    }
    page
}

/// A file of no rows and these columns.
fn parquet(columns: &[&str]) -> Vec<u8> {
    let mut footer = b"\x15\x02\x19".to_vec();
    footer.push((columns.len() as u8 + 1) << 4 | 0xc);
    footer.extend(b"\x48\x04root\x15");
    footer.extend([columns.len() as u8 * 2, 0]);
    for column in columns {
        footer.extend([0x48, column.len() as u8]);
        footer.extend(column.as_bytes());
        footer.push(0);
    }
    footer.extend(b"\x16\x80\x80\x01\0");
    let length = (footer.len() as u32).to_le_bytes();
    [b"PAR1", &footer[..], &length, b"PAR1"].concat()
}

fn people_csv() -> Vec<u8> {
    let mut table = "id,name,email,city\n".to_owned();
    for number in 0..200 {
        table.push_str(&format!(
            "{number},Person {number},person{number}@acme.dev,Bonn\n"
        ));
    }
    table.into_bytes()
}

fn json_lines(keys: &[&str]) -> Vec<u8> {
    let mut lines = String::new();
    for number in 0..200 {
        let pairs: Vec<String> = keys
            .iter()
            .map(|key| format!("\"{key}\":\"value {number}\""))
            .collect();
        lines.push_str(&format!("{{{}}}\n", pairs.join(",")));
    }
    lines.into_bytes()
}

/// What `mysqldump` writes: with `rows`, and with those of `people`.
fn sql_dump(kinds: &[&str]) -> Vec<u8> {
    let mut dump = "-- MySQL dump 10.13  Distrib 8.0.36, for Linux (x86_64)\n--\n-- Host: db1.acme.example    Database: billing\n\
                    CREATE TABLE `customers` (\n  `id` int NOT NULL,\n  `email` varchar(255)\n);\n"
        .to_owned();
    if kinds.contains(&"rows") {
        dump.push_str("INSERT INTO `customers` VALUES (1,NULL),(2,NULL);\n");
    }
    if kinds.contains(&"people") {
        for number in 0..100 {
            dump.push_str(&format!(
                "INSERT INTO `customers` VALUES ({number},'person{number}@acme.dev');\n"
            ));
        }
    }
    dump.into_bytes()
}

/// An ELF file of 64 bits with sections of these names, each of some zeros; `.text` is always there.
fn elf(kind: u8, sections: &[&str]) -> Vec<u8> {
    const HEADER: usize = 64;
    const WIDTH: usize = 64;
    let mut names = b"\0.shstrtab\0.text\0".to_vec();
    let mut starts = vec![(1_u32, 3_u32), (11, 1)];
    for section in sections {
        // Symbols have a type of their own.
        let kind = if *section == ".symtab" { 2 } else { 1 };
        starts.push((names.len() as u32, kind));
        names.extend(section.as_bytes());
        names.push(0);
    }
    names.resize(names.len().next_multiple_of(8), 0);
    let table = HEADER + names.len();
    let mut file = b"\x7fELF\x02\x01\x01".to_vec();
    file.resize(16, 0);
    file.extend([kind, 0, 62, 0, 1, 0, 0, 0]);
    file.extend([0; 16]);
    file.extend((table as u64).to_le_bytes());
    file.extend([0; 4]);
    file.extend(
        [
            HEADER as u16,
            0,
            0,
            WIDTH as u16,
            starts.len() as u16 + 1,
            1,
        ]
        .map(u16::to_le_bytes)
        .concat(),
    );
    file.extend(&names);
    file.extend([0; WIDTH]);
    for (index, (name, kind)) in starts.iter().enumerate() {
        let length = if index == 0 { names.len() as u64 } else { 24 };
        file.extend([*name, *kind].map(u32::to_le_bytes).concat());
        file.extend(
            [0_u64, 0, HEADER as u64, length]
                .map(u64::to_le_bytes)
                .concat(),
        );
        file.extend([0; 24]);
    }
    file
}

/// A module with a section of names for its functions.
fn wasm(names: &[&str]) -> Vec<u8> {
    let mut module = b"\0asm\x01\0\0\0".to_vec();
    let mut list = vec![names.len() as u8];
    for (number, name) in names.iter().enumerate() {
        list.extend([number as u8, name.len() as u8]);
        list.extend(name.as_bytes());
    }
    let section = [&b"\x04name\x01"[..], &[list.len() as u8], &list].concat();
    if !names.is_empty() {
        module.extend([0, section.len() as u8]);
        module.extend(section);
    }
    // A memory, so that it is a module of something.
    module.extend(b"\x05\x03\x01\x00\x01");
    module
}

fn pyinstaller() -> Vec<u8> {
    let entry = |kind: u8, name: &[u8]| {
        let length = 18 + name.len() as u32 + 1;
        let numbers = [length, 0, 50, 100].map(u32::to_be_bytes).concat();
        [&numbers[..], &[1, kind], name, b"\0"].concat()
    };
    let list = [entry(b's', b"billing"), entry(b'z', b"PYZ.pyz")].concat();
    let mut file = elf(2, &[]);
    let contents = 100;
    file.resize(file.len() + contents, 0x55);
    file.extend(&list);
    file.extend(b"MEI\x0c\x0b\x0a\x0b\x0e");
    let length = contents + list.len() + 88;
    for number in [length, contents, list.len(), 311] {
        file.extend((number as u32).to_be_bytes());
    }
    file.extend(b"libpython3.11.so");
    file.resize(file.len() + 48, 0);
    file
}

/// Python 3.11's, of a module at this path.
fn bytecode(names: &[&str]) -> Vec<u8> {
    let name = names.first().copied().unwrap_or("a.py");
    let mut file = b"\xa7\x0d\r\n\0\0\0\0\x01\x02\x03\x04\x05\x06\x07\x08\xe3".to_vec();
    file.extend([0; 20]);
    file.extend([0xda, name.len() as u8]);
    file.extend(name.as_bytes());
    file
}

/// Electron's archive with files of one line.
fn asar(names: &[&str]) -> Vec<u8> {
    const LINE: &[u8] = b"export {};\n";
    let mut files = serde_json::Map::new();
    for (number, name) in names.iter().enumerate() {
        let entry =
            serde_json::json!({ "size": LINE.len(), "offset": (number * LINE.len()).to_string() });
        files.insert((*name).to_owned(), entry);
    }
    let header = serde_json::json!({ "files": files }).to_string();
    let padded = header.len().next_multiple_of(4);
    let numbers = [4, padded + 8, padded + 4, header.len()];
    let mut file: Vec<u8> = numbers
        .iter()
        .flat_map(|number| (*number as u32).to_le_bytes())
        .collect();
    file.extend(header.as_bytes());
    file.resize(16 + padded, 0);
    names.iter().for_each(|_| file.extend(LINE));
    file
}
