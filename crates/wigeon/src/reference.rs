//! The reference of all settings, as docs/operating.md has it: written from the settings themselves.

use clap::Args;

use crate::config::variable_name;
use crate::settings::Settings;

/// One section for each setting.
pub(crate) fn markdown() -> String {
    let defaults = Settings::defaults().entries();
    let command = Settings::augment_args(clap::Command::new("wigeon"));
    let sections = command.get_arguments().zip(defaults).map(|(arg, (key, default))| {
        let flag = arg.get_long().expect("every setting has a long flag");
        let value = arg.get_value_names().and_then(|names| names.first()).expect("every setting has a value");
        let help = arg.get_long_help().or(arg.get_help()).expect("every setting is explained").to_string();
        let default = default.expect("every setting has a default");
        let variable = variable_name(flag);
        // The first line of a help text ends without a full stop.
        let help = help.replacen("\n\n", ".\n\n", 1);
        format!("### `{key}`\n\n`--{flag} {value}` · `{variable}` · default `{default}`\n\n{help}\n")
    });
    sections.collect::<Vec<_>>().join("\n")
}
