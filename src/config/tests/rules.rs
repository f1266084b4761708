//! Rules of single settings, and between settings.

use super::*;

/// Promise J23.
#[test]
fn weak_secret_key_is_refused() {
    let repeated = "0123456789abcdef".repeat(2);
    let weak =
        ["", "secret", &"x".repeat(64), &"changeme".repeat(4), &repeated, "a-string-secret-at-least-256-bits-long"];
    for key in weak {
        assert_eq!(rejected_settings(&[("ACCOUNTD_SECRET_KEY", key)]).0, ["secret_key"], "{key}");
    }
    let config = load(&[("ACCOUNTD_SECRET_KEY", &format!("{KEY}\n"))]).unwrap();
    assert_eq!(config.secret_key.unwrap().expose_secret(), KEY);
}

/// Promise J23.
#[test]
fn database_server_without_secret_key_is_refused() {
    let (names, text) = rejected_settings(&[("ACCOUNTD_DATABASE_URL", POSTGRES)]);
    assert_eq!(names, ["secret_key"]);
    assert!(text.contains("head -c 32 /dev/urandom | base64"), "{text}");
    for (url, file) in [("sqlite:a.db", "a.db"), ("sqlite://a.db", "a.db"), ("sqlite:///var/a.db", "/var/a.db")] {
        let config = load(&[("ACCOUNTD_DATABASE_URL", url)]).unwrap();
        assert!(matches!(config.database, Database::Embedded(path) if path.as_os_str() == file));
    }
    for url in ["sqlite:", "sqlite::memory:", "sqlite:a.db?mode=ro", "mysql://", "redis://db"] {
        assert_eq!(rejected_settings(&[("ACCOUNTD_DATABASE_URL", url)]).0, ["database_url"], "{url}");
    }
}

#[test]
fn limits_can_be_disabled_on_loopback_only() {
    let off = ("ACCOUNTD_LIMITS__ENABLED", "false");
    assert!(!load(&[off, ("ACCOUNTD_LISTEN", "[::1]:80")]).unwrap().limits.is_enabled);
    for listen in ["0.0.0.0:80", "[::]:80", "192.168.1.2:80"] {
        assert_eq!(rejected_settings(&[off, ("ACCOUNTD_LISTEN", listen)]).0, ["limits.enabled"], "{listen}");
    }
}

#[test]
fn argon2_cost_outside_its_bounds_is_refused() {
    let with = |memory, iterations| {
        load(&[("ACCOUNTD_PASSWORD__ARGON2_MEMORY_KIB", memory), ("ACCOUNTD_PASSWORD__ARGON2_ITERATIONS", iterations)])
    };
    for (memory, iterations) in [("47104", "1"), ("19456", "2"), ("12288", "3"), ("262144", "10")] {
        assert!(with(memory, iterations).is_ok(), "{memory} {iterations}");
    }
    for (memory, iterations) in
        [("47103", "1"), ("19455", "2"), ("12287", "3"), ("262145", "1"), ("19456", "11"), ("19456", "0")]
    {
        assert!(with(memory, iterations).is_err(), "{memory} {iterations}");
    }
}

#[test]
fn dialect_mount_accepts_plain_paths_only() {
    let mount = |path| load(&[("ACCOUNTD_REST__DIALECTS__PLANTDB", path)]);
    let paths = |text| -> Vec<String> {
        mount(text).unwrap().rest.mounts("plantdb").iter().map(|mount| mount.path.to_string()).collect()
    };
    assert_eq!(paths("off"), [""; 0]);
    assert_eq!(paths("/api/v1"), ["/api/v1"]);
    assert_eq!(paths("/, /plants"), ["/", "/plants"]);
    for path in ["", "api", "/api/", "//", "/{x}", "/a//b", "/../a", "/a b", "/%41", "/a,", "/a,off", "/a=admin"] {
        assert!(mount(path).is_err(), "{path}");
    }
}

/// Promise A11.
#[test]
fn too_wide_trusted_proxies_are_refused() {
    let trust = |networks| load(&[("ACCOUNTD_SERVER__TRUSTED_PROXIES", networks)]);
    let proxies = trust("10.0.0.0/8, 192.0.2.7,fd00::/8").unwrap().server.trusted_proxies;
    for (address, is_trusted) in
        [("10.9.8.7", true), ("::ffff:10.9.8.7", true), ("192.0.2.7", true), ("192.0.2.8", false), ("fd12::1", true)]
    {
        assert_eq!(proxies.contains(address.parse().unwrap()), is_trusted, "{address}");
    }
    assert!(!trust("none").unwrap().server.trusted_proxies.contains("127.0.0.1".parse().unwrap()));
    for networks in ["0.0.0.0/0", "::/0", "10.0.0.0/8,0.0.0.0/1", "2000::/3", "::ffff:10.0.0.0/104", "::ffff:10.0.0.1"]
    {
        assert_eq!(
            rejected_settings(&[("ACCOUNTD_SERVER__TRUSTED_PROXIES", networks)]).0,
            ["server.trusted_proxies"],
            "{networks}"
        );
    }
    for networks in ["", ",", "10.0.0.0/8,", "10.0.0.0/33", "proxy", "off", "10.0.0.1:80"] {
        assert!(trust(networks).is_err(), "{networks}");
    }
}

#[test]
fn misspelt_log_level_is_refused() {
    let filter = |text| load(&[("ACCOUNTD_LOG__FILTER", text)]);
    for text in ["inof", "warning", "verbose", "info,debgu", "sea_orm", "WARNING", "accountd=inof"] {
        let (names, message) = rejected_settings(&[("ACCOUNTD_LOG__FILTER", text)]);
        assert_eq!(names, ["log.filter"], "{text}");
        assert!(message.contains("error, warn, info, debug, trace"), "{message}");
    }
    for text in ["info", "INFO", "off", "warn,accountd=debug", "accountd", "accountd::http=trace,info", "[span]=debug"]
    {
        assert!(filter(text).is_ok(), "{text}");
    }
}

#[test]
fn toml_array_is_accepted_for_list_settings() {
    let file = "[cors]\norigins = ['https://a.example.com', 'http://localhost:5173']\n[server]\n\
        trusted_proxies = ['10.1.0.0/16']\n";
    let config = load_file(file).unwrap();
    assert_eq!(config.cors.origins.len(), 2);
    assert!(!config.server.trusted_proxies.is_empty());
    for (file, why) in [
        ("listen = ['127.0.0.1:1']", "is a list"),
        ("[cors]\norigins = []", "is an empty list"),
        ("[cors]\norigins = [1]", "put each entry in quotes"),
        ("[cors.origins]\nx = 'y'", "is a section"),
    ] {
        let message = load_file(file).unwrap_err().to_string();
        assert!(message.contains(why), "{file}: {message}");
    }
}

#[test]
fn invalid_origin_is_named_in_the_error() {
    let text = "https://app.example.com,http://localhost:5173/,https://b.example.com:0";
    let (_, message) = rejected_settings(&[("ACCOUNTD_CORS__ORIGINS", text)]);
    assert!(message.contains(": \"http://localhost:5173/\"") && message.contains("remove the slash"), "{message}");
}

/// Promise X3.
#[test]
fn origin_not_in_browser_form_is_refused() {
    let origins = |text| load(&[("ACCOUNTD_CORS__ORIGINS", text)]);
    assert!(load(&[]).unwrap().cors.origins.is_empty() && origins("none").unwrap().cors.origins.is_empty());
    let listed =
        "https://app.example.com, http://localhost:5173,http://127.0.0.1:1,https://[::1]:8443,https://a_b.xn--q";
    assert_eq!(origins(listed).unwrap().cors.origins.len(), 5);
    let shells = "capacitor://localhost,ionic://localhost,tauri://localhost,chrome-extension://abc,moz-extension://a-b";
    assert_eq!(origins(shells).unwrap().cors.origins.len(), 5);
    for (text, why) in [
        ("*", "every page on the web"),
        ("https://app.example.com,*", "every page on the web"),
        ("null", "sandboxed"),
        ("app.example.com", "without http://"),
        ("ftp://app.example.com", "without http://"),
        ("capacitor://localhost:80", "without http://"),
        ("capacitor://", "without http://"),
        ("javascript://localhost", "without http://"),
        ("https://", "invalid host"),
        ("https://*.example.com", "invalid host"),
        ("https://app.example.com/", "ends with a slash"),
        ("https://app.example.com/path", "invalid host"),
        ("https://ann@app.example.com", "invalid host"),
        ("https://app.example.com.", "invalid host"),
        ("https://app.example.com?", "invalid host"),
        ("https://300.1", "invalid host"),
        ("https://127.1", "invalid host"),
        ("https://[::1", "invalid host"),
        ("https://[0:0:0:0:0:0:0:1]", "invalid host"),
        ("https://App.example.com", "lower case"),
        ("https://b\u{fc}cher.example", "xn--"),
        ("HTTPS://app.example.com", "without http://"),
        ("https://app.example.com:443", "default port"),
        ("http://app.example.com:80", "default port"),
        ("https://app.example.com:", "invalid port"),
        ("https://app.example.com:08443", "invalid port"),
        ("https://app.example.com:65536", "invalid port"),
        ("https://app.example.com:+1", "invalid port"),
        ("https://app.example.com,", "without http://"),
    ] {
        let (names, message) = rejected_settings(&[("ACCOUNTD_CORS__ORIGINS", text)]);
        assert_eq!(names, ["cors.origins"], "{text}");
        assert!(message.contains(why), "{text}: {message}");
    }
}

#[test]
fn invalid_allowed_headers_are_refused() {
    let headers = |text| load(&[("ACCOUNTD_CORS__ALLOWED_HEADERS", text)]).map(|config| config.cors.allowed_headers);
    assert_eq!(headers("none").unwrap(), [""; 0]);
    assert_eq!(headers("X-One, x_two").unwrap(), ["x-one", "x_two"]);
    for text in ["*", "a,*", "a b", "a,", "a:b", "a\nb", "\u{e4}", &["a"; 101].join(",")] {
        assert!(headers(text).is_err(), "{text}");
    }
}

#[test]
fn inconsistent_token_lifetimes_are_refused() {
    let idle_beyond_absolute = [("ACCOUNTD_TOKEN__REFRESH_ABSOLUTE_SECONDS", "86400")];
    assert_eq!(rejected_settings(&idle_beyond_absolute).0, ["token.refresh_absolute_seconds"]);
    assert_eq!(
        rejected_settings(&[("ACCOUNTD_TOKEN__REFRESH_GRACE_SECONDS", "301")]).0,
        ["token.refresh_grace_seconds"]
    );
}

#[test]
fn config_errors_and_debug_output_contain_no_secret() {
    let flags = Flags { database_url: Some(POSTGRES.to_owned()), ..Flags::default() };
    assert!(!format!("{flags:?}").contains("hunter2"));
    let config = load_with(flags, &[("ACCOUNTD_SECRET_KEY", KEY)]).unwrap();
    assert_eq!(config.secret_key.as_ref().unwrap().expose_secret(), KEY);
    let debug = format!("{config:?}");
    assert!(!debug.contains(KEY) && !debug.contains("hunter2"), "{debug}");

    let (names, text) = rejected_settings(&[
        ("ACCOUNTD_SECRET_KEY", "tooshort"),
        ("ACCOUNTD_DATABASE_URL", "pg://ann:hunter2@db/accounts"),
    ]);
    assert_eq!(names, ["database_url", "secret_key"]);
    assert!(!text.contains("tooshort") && !text.contains("hunter2"), "{text}");
    for broken in [
        "\nsecret_key = \"hunter2",
        "\nsecret_key = hunter2",
        "\nsecret_key = [\"hunter2\"]",
        "\ndatabase_urls = 'hunter2'",
    ] {
        let text = load_file(broken).unwrap_err().to_string();
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[test]
fn setting_is_read_by_its_earlier_name_from_every_source() {
    let earlier: Vec<_> = SETTINGS.iter().filter_map(|setting| Some((setting, setting.earlier_name?))).collect();
    assert_eq!(earlier.len(), 5);
    let file = |name: &str| {
        let (section, key) = name.rsplit_once('.').unwrap();
        format!("[{section}]\n{key} = '?'\n")
    };
    for (setting, name) in earlier {
        // A value that none of them takes: the problem names the setting, so it was read.
        let refused = |problems: Problems| problems.0.into_iter().map(|problem| problem.setting).collect::<Vec<_>>();
        assert_eq!(refused(load_file(&file(name)).unwrap_err()), [setting.name], "{name} in the file");
        let variable = format!("ACCOUNTD_{}", name.replace('.', "__").replace('-', "_").to_uppercase());
        assert_eq!(rejected_settings(&[(&variable, "?")]).0, [setting.name], "{variable}");
        let both = load_file(&format!("{}{}", file(name), file(setting.name)));
        if name.rsplit_once('.').map(|(section, _)| section)
            != setting.name.rsplit_once('.').map(|(section, _)| section)
        {
            assert!(both.unwrap_err().to_string().contains("is set twice"), "{name} beside {}", setting.name);
        }
        let (_, text) = rejected_settings(&[(&variable, "?"), (&setting.variable(), "?")]);
        assert!(text.contains("is set twice"), "{variable}: {text}");
    }
    let key = |name: &str, calls: u32| format!("{name} = {calls}\n");
    let both = format!("[cache]\n{}{}", key("callers", 5), key("max_callers", 6));
    assert!(load_file(&both).unwrap_err().to_string().contains("is set twice"));
    // A later layer replaces the other name's value.
    let file = write_config_file("[cache]\ncallers = 5\n");
    let config = load(&[("ACCOUNTD_CONFIG", path_of(&file)), ("ACCOUNTD_CACHE__MAX_CALLERS", "6")]).unwrap();
    assert_eq!(config.cache.max_callers, 6);
}

#[test]
fn durations_are_read_with_units() {
    let lifetime =
        |text| load(&[("ACCOUNTD_TOKEN__ACCESS_LIFETIME_SECONDS", text)]).map(|config| config.token.access_lifetime);
    for (text, seconds) in [("900", 900), ("90s", 90), ("15m", 900), ("12h", 43_200), ("1d", 86_400)] {
        assert_eq!(lifetime(text).unwrap(), TimeDelta::seconds(seconds), "{text}");
    }
    for text in
        ["", "m", "15 m", "-1m", "1.5h", "15M", "2d", "99999999999999999999s", "9999999999999999999d", "1w", "\u{e4}"]
    {
        assert!(lifetime(text).is_err(), "{text}");
    }
    let (_, message) = rejected_settings(&[("ACCOUNTD_SERVER__DRAIN_SECONDS", "1h")]);
    assert!(message.contains("or a duration like 15m"), "{message}");
    assert!(load(&[("ACCOUNTD_GRAPHQL__MAX_DEPTH", "5m")]).is_err(), "a number of fields is no duration");
    assert_eq!(
        load_file("[token]\naccess_lifetime_seconds = '5m'\n").unwrap().token.access_lifetime,
        TimeDelta::minutes(5)
    );
}

#[test]
fn webhook_endpoints_are_read_from_toml_tables() {
    let secret = format!("whsec_{}", "A".repeat(32));
    let endpoint = |name: &str, rest: &str| {
        format!(
            "[[webhooks.endpoint]]\nname = '{name}'\nurl = 'https://{name}.example.org/x'\nsecrets = ['{secret}']\n{rest}\n"
        )
    };
    let file = format!("{}{}", endpoint("crm", "events = ['user.created', 'user.deleted']"), endpoint("billing", ""));
    let webhooks = load_file(&file).unwrap().webhooks;
    let events: Vec<_> =
        webhooks.endpoints.iter().map(|endpoint| (endpoint.name.as_str(), endpoint.events.len())).collect();
    assert_eq!(events, [("crm", 2), ("billing", WebhookEvent::ALL.len())]);
    assert_eq!(webhooks.endpoints.iter().map(|endpoint| endpoint.secrets.len()).sum::<usize>(), 2);
    for (file, why) in [
        (format!("[webhooks]\nendpoints = 'crm=https://crm.example.org/x'\n{}", endpoint("crm", "")), "is set twice"),
        (endpoint("crm", "color = 'red'"), "unknown key \"color\""),
        (endpoint("c rm", ""), "has one with blanks"),
        (endpoint("crm", "events = 'all'"), "that are no list"),
        ("[[webhooks.endpoint]]\nname = 'crm'\n".to_owned(), "lacks a name, url"),
        ("[webhooks]\nendpoint = ['crm']\n".to_owned(), "is not a list of tables"),
        ("[webhooks]\nendpoint = 'crm'\n".to_owned(), "is not a list of tables"),
        ("[webhooks]\nendpoint = []\n".to_owned(), "is an empty list"),
        (endpoint("crm", "").replace("[[", "[").replace("]]", "]"), "is not a list of tables"),
    ] {
        let message = load_file(&file).unwrap_err().to_string();
        assert!(message.contains(why) && !message.contains("whsec_A"), "{file}: {message}");
    }
}
