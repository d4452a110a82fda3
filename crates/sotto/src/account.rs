//! `sotto account reset`: a lost password is replaced at the terminal, by whoever may read the data directory.

use clap::Subcommand;
use server::FirstPassword;

use crate::cloud;
use crate::failure::Failure;
use crate::output::print_secret;
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

/// Runs the command, through the running cloud where there is one, since it alone may write. The new password is printed
/// before the old one goes: where it cannot be, nothing has changed.
pub(crate) fn run(command: &AccountCommand, places: &Places, clock: cloud::ClockSource) -> Result<(), Failure> {
    let AccountCommand::Reset { json } = command;
    let failed = |why: server::ServerError| Failure::no(why.to_string());
    match cloud::running(places) {
        Some(run) => {
            let first = server::draw_password().map_err(failed)?;
            show(&first, *json)?;
            let body = serde_json::json!({ "password": first.password.expose() });
            let told = cloud::post_with(&run, "/control/reset-password", &body);
            told.map(|_| ()).map_err(|why| Failure::no(format!("the password above does not hold: {why}")))
        }
        None => {
            let reset = server::reset_password(places.data(), clock.clock(), |first| show(first, *json));
            cloud::runtime()?.block_on(reset).map_err(failed)?
        }
    }
}

fn show(first: &FirstPassword, json: bool) -> Result<(), Failure> {
    let (account, password) = (&first.account, first.password.expose());
    let line = if json {
        serde_json::json!({ "account": account, "password": password }).to_string()
    } else {
        format!(
            "sign in as {account}\npassword   {password}\n           shown this once; every browser is signed out"
        )
    };
    print_secret(&line).map_err(|why| {
        if why.is_silent() { why } else { Failure::no(format!("{why}; the old password still holds")) }
    })
}
