//! `sotto account reset`: a lost password is replaced at the terminal, by whoever may read the data directory.

use clap::Subcommand;

use crate::cloud;
use crate::failure::Failure;
use crate::places::Places;

/// The owner's account.
#[derive(Subcommand, Debug)]
pub(crate) enum AccountCommand {
    /// Gives the account a new password, prints it once, and signs out every browser.
    Reset {
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
}

/// Runs the command, through the running cloud where there is one, since it alone may write.
pub(crate) fn run(command: &AccountCommand, places: &Places, clock: cloud::ClockSource) -> Result<(), Failure> {
    let AccountCommand::Reset { json } = command;
    let (account, password) = match cloud::running(places) {
        Some(run) => {
            let told = cloud::post(&run, "/control/reset-password")?;
            (text(&told, "account"), text(&told, "password"))
        }
        None => {
            let reset = server::reset_password(places.data(), clock.clock());
            let first = cloud::runtime()?.block_on(reset).map_err(|why| Failure::no(why.to_string()))?;
            (first.account, first.password.expose().clone())
        }
    };
    crate::print_line(&if *json {
        serde_json::json!({ "account": account, "password": password }).to_string()
    } else {
        format!(
            "sign in as {account}\npassword   {password}\n           shown this once; every browser was signed out"
        )
    });
    Ok(())
}

fn text(value: &serde_json::Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}
