//! Credentials in the settings of programs that no class knows: found at their file, line and column by the program as it is
//! built, shown nowhere, and told of nothing that only looks like such a file.
//!
//! The values are made here and name nobody.

mod common;

use common::{number, run, scratch, text, tgz, write_all};
use strandline::exposure::secrets::examples::expand;

/// Files with `@` where a credential stands, and the rule that must name it. `|` ends a line.
const FORMS: [(&str, &str, &str); 30] = [
    (
        "application.properties",
        "server.port=8080|spring.datasource.username=app|spring.datasource.password=@|",
        "generic-password",
    ),
    (
        "spaced.properties",
        "# ours|mail.host = mail.acme.example|mail.smtp.password = @|",
        "generic-password",
    ),
    (
        "boot/application-prod.yml",
        "spring:|  datasource:|    username: app|    password: @|",
        "generic-password",
    ),
    (
        "boot/quoted.yaml",
        "mail:|  host: mail.acme.example|  api-key: \"@\" # ours|",
        "generic-secret",
    ),
    (
        "config/database.yml",
        "default: &default|  adapter: postgresql|  pool: <%= ENV.fetch(\"N\") { 5 } %>||production:|  <<: *default|  password: @|",
        "generic-password",
    ),
    (
        "config/secrets.yml",
        "production:|  secret_key_base: @|",
        "generic-secret",
    ),
    (
        "etc/app.ini",
        "; ours|[database]|host = db1.acme.example|password = @|",
        "generic-password",
    ),
    (
        "etc/colons.ini",
        "[smtp]|user: ann|smtp_password: @ ; ours|",
        "generic-password",
    ),
    (
        "setup.cfg",
        "[metadata]|name = a|[upload]|upload_password = @|",
        "generic-password",
    ),
    (
        "etc/server.conf",
        "workers = 4|db_passwd = @|",
        "generic-password",
    ),
    (
        "etc/redis.conf",
        "# Redis|port 6379|save 900 1|requirepass @|",
        "generic-password",
    ),
    (
        "etc/my.cnf",
        "[mysqld]|port = 3306|replication_password = @|",
        "generic-password",
    ),
    (
        "app.toml",
        "title = \"x\"|[database]|ports = [|  8000,|]|password = \"@\"|",
        "generic-password",
    ),
    ("jwt.toml", "[jwt]|signing_key = '@'|", "generic-secret"),
    (
        "chart/values.yaml",
        "image:|  tag: \"1.0\"|postgresql:|  auth:|    password: @|",
        "generic-password",
    ),
    (
        "chart/env.yaml",
        "env:|- name: LOG_LEVEL|  value: info|- name: DB_PASSWORD|  value: @|",
        "generic-password",
    ),
    (
        "chart/token.yaml",
        "ingress:|  enabled: true|webhook:|  clientSecret: '@'|",
        "generic-secret",
    ),
    (
        "k8s/deploy.yaml",
        "apiVersion: apps/v1|kind: Deployment|metadata:|  name: a|spec:|  containers:|  - name: a|    env:|    - name: DB_PASSWORD|      value: @|",
        "generic-password",
    ),
    (
        "docker-compose.yml",
        "services:|  db:|    image: postgres|    environment:|    - POSTGRES_PASSWORD=@|",
        "generic-password",
    ),
    (
        "appsettings.json",
        "{|  \"Smtp\": {|    \"Host\": \"mail.acme.example\",|    \"Password\": \"@\"|  }|}|",
        "generic-password",
    ),
    (
        "appsettings.Production.json",
        "{|  // ours|  \"Jwt\": {|    \"ClientSecret\": \"@\",|    \"Hosts\": [|      \"a\"|    ]|  }|}|",
        "generic-secret",
    ),
    (
        "local.settings.json",
        "{|  \"Values\": {|    \"ApiKey\": \"@\"|  }|}|",
        "generic-secret",
    ),
    (
        "dotnet/names.txt",
        "Server=db1.acme.example; Database=app; User Id=app; Password=@|",
        "connection-string-password",
    ),
    (
        "dotnet/web.config",
        "<add connectionString=\"Password=@;Server=db1.acme.example;User Id=app\"/>|",
        "connection-string-password",
    ),
    (
        "jdbc/a.properties",
        "url=jdbc:postgresql://db1.acme.example/app?user=app&password=@|",
        "jdbc-password",
    ),
    (
        "jdbc/b.properties",
        "url=jdbc:sqlserver://db1.acme.example:1433;databaseName=app;user=app;password=@;encrypt=true|",
        "jdbc-password",
    ),
    (
        "jdbc/c.xml",
        "<url>jdbc:mysql://db1.acme.example/app?user=app&amp;password=@&amp;x=1</url>|",
        "jdbc-password",
    ),
    (
        "jdbc/d.js",
        "const url = \"jdbc:oracle:thin:app/@@db1.acme.example:1521:x\";|",
        "jdbc-oracle-password",
    ),
    (
        "libpq.ini",
        "[db]|dsn = host=db1.acme.example port=5432 dbname=app user=app password=@|",
        "libpq-password",
    ),
    (
        "windows.properties",
        "a=1\r|db.password=@\r|",
        "generic-password",
    ),
];

/// A value that is one whatever its neighbours: letters of both sorts, digits at both ends.
fn made(purpose: &str) -> String {
    String::from_utf8(expand("7<<base62 18>>42", purpose).unwrap()).unwrap()
}

struct Planted {
    name: String,
    rule: &'static str,
    value: String,
    bytes: String,
    line: u64,
    column: u64,
}

fn planted() -> Vec<Planted> {
    let forms = FORMS.iter().map(|(name, form, rule)| {
        let value = made(name);
        let bytes = form.replace('|', "\n").replacen('@', &value, 1);
        let at = bytes.find(&value).unwrap();
        let begin = bytes[..at].rfind('\n').map_or(0, |feed| feed + 1);
        Planted {
            name: (*name).to_owned(),
            rule,
            line: 1 + bytes[..at].matches('\n').count() as u64,
            column: (at - begin) as u64 + 1,
            value,
            bytes,
        }
    });
    forms.collect()
}

#[test]
fn credentials_of_settings_are_found_where_they_stand_and_shown_nowhere() {
    let folder = scratch();
    let all = planted();
    let files: Vec<(&str, &str)> = all
        .iter()
        .map(|one| (one.name.as_str(), one.bytes.as_str()))
        .collect();
    write_all(&folder.path().join("in"), &files);
    write_all(&folder.path().join("in"), &[("packed.tgz", tgz(&files))]);
    let report = folder.path().join("report");
    let ran = run([
        "scan".as_ref(),
        folder.path().join("in").as_os_str(),
        "--jsonl".as_ref(),
        "-".as_ref(),
        "--report".as_ref(),
        report.as_os_str(),
    ])
    .expect(0);
    let records = ran.records();
    let told: Vec<String> = records
        .all("secret")
        .map(|secret| {
            format!(
                "{} {}:{}:{}",
                text(secret, "rule"),
                text(secret, "locator"),
                number(secret, "line"),
                number(secret, "column")
            )
        })
        .collect();
    let wanted = all.iter().flat_map(|one| {
        ["in/", "in/packed.tgz!/"].map(|before| {
            format!(
                "{} {before}{}:{}:{}",
                one.rule, one.name, one.line, one.column
            )
        })
    });
    let missed: Vec<String> = wanted.filter(|one| !told.contains(one)).collect();
    assert!(
        missed.is_empty(),
        "missed:\n{}\ntold:\n{}",
        missed.join("\n"),
        told.join("\n")
    );
    assert_eq!(
        told.len(),
        2 * all.len(),
        "told once each:\n{}",
        told.join("\n")
    );
    // A class says what the file is, at its place.
    let classes = |name: &str| -> Vec<&str> {
        let locator = format!("in/{name}");
        let here = records
            .all("exposure")
            .filter(|found| text(found, "locator") == locator);
        here.map(|found| text(found, "class")).collect()
    };
    assert_eq!(classes("application.properties"), ["application-settings"]);
    assert_eq!(classes("app.toml"), ["application-settings"]);
    assert_eq!(classes("docker-compose.yml"), ["deployment-files"]);
    let written = common::tree(&report)
        .into_keys()
        .filter_map(|name| std::fs::read(report.join(name)).ok());
    let outputs: Vec<Vec<u8>> = [ran.stdout.clone(), ran.stderr.clone().into_bytes()]
        .into_iter()
        .chain(written)
        .collect();
    assert!(outputs.len() > 3);
    for one in &all {
        // Its end may be shown.
        let value = &one.value.as_bytes()[..one.value.len() - 4];
        let is_shown = |output: &Vec<u8>| memchr::memmem::find(output, value).is_some();
        assert!(!outputs.iter().any(is_shown), "{} is shown", one.name);
    }
}

#[test]
fn what_only_looks_like_settings_is_told_of_nothing() {
    let live = made("elsewhere");
    let pair = format!("host: db1.acme.example\npassword: {live}\n");
    let files: Vec<(&str, String)> = vec![
        // The same lines where they are an example, words for people or code.
        ("README.md", pair.clone()),
        ("build.log", pair.clone()),
        ("notes.txt", pair.clone()),
        ("config.example.yml", pair.clone()),
        ("application.yml.dist", pair.clone()),
        ("data.json", format!("{{\n  \"password\": \"{live}\"\n}}\n")),
        ("i18n/de/settings.yml", pair.clone()),
        ("messages_de.properties", format!("password={live}\n")),
        ("theme.css", format!(".a {{\n  key: {live};\n}}\n")),
        ("a.py", format!("host = 1\npassword = get_{live}()\n")),
        // Words, names and references where credentials would be.
        ("translation/de.yml", "de:\n  password: Passwort\n  forgot_password: \"Haben Sie Ihr Passwort vergessen?\"\n".into()),
        ("words.yml", "password: Passwort!\npassword_confirmation: Passwort-Wiederholung\nnew_password: \"P@ssw0rd\"\ntoken: \"%{count} Tokens\"\n".into()),
        ("values.yaml", "auth:\n  existingSecret: db-login-2\n  password: {{ .Values.x1 }}\n  secretKeyRef:\n    name: db-login-2\n    key: password1\n".into()),
        ("refs.yml", "a:\n  password: ${DB_PASSWORD1}\n  api_key: !vault abc123def456\n  token: ENC(q8Zt5vKx0Wb3Yp7L)\n  secret: <fill-in-2>\n  auth_token: changeme\n".into()),
        ("lock.toml", "[dependencies]\nsecret-service = \"3.0.1-alpha.1\"\npassword-hash = \"^0.5.0-rc.1\"\napi-token = \"1.2.3\"\n".into()),
        ("keys.ini", "[keys]\ncache_key = 0f8fad5bd9cb469fa16570867728950e\nshortcut_key = Ctrl+Shift+F12\nprimary_key = user_id_2\n".into()),
        ("schema.yml", "type: object\npassword: varchar(255)\nsecret: string|min:8\ndigest_password: argon2id\n".into()),
    ];
    let folder = scratch();
    write_all(&folder.path().join("in"), &files);
    let records = run([
        "scan".as_ref(),
        folder.path().join("in").as_os_str(),
        "--jsonl".as_ref(),
        "-".as_ref(),
    ])
    .expect(0)
    .records();
    let told: Vec<String> = records
        .all("secret")
        .chain(records.all("exposure"))
        .map(|found| format!("{} {}", text(found, "locator"), text(found, "severity")))
        .collect();
    assert!(told.is_empty(), "{}", told.join("\n"));
}
