//! A child process that does not outlive this one, however this one ends.
//!
//! Destructors run on return and on panic, but not on SIGKILL, and a test run is killed by CI more often than one
//! likes. So each program is started through a few lines of `sh` that leave a watcher behind and then become the
//! program. The watcher reads from a pipe whose other end only this process holds: when this process is gone, the
//! kernel closes the pipe and the watcher ends the program. Neither `prctl` (unsafe code, Linux only) nor
//! `setpriv` (not on every machine) is needed.
//!
//! Each child has a process group of its own, so that Ctrl-C at the terminal reaches only this process, which
//! then takes its children down in order.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child as Process, ChildStdin, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::clock::Deadline;

/// What `sh` does before it becomes the program. A word on the pipe means that the program has been reaped here,
/// and that its process id may already be someone else's: then the watcher leaves without a signal.
const WATCH: &str = r#"
exec 3<&0 </dev/null
program=$$
(
  exec >/dev/null 2>&1
  read -r word <&3 && exit 0
  kill -s TERM "$program" || exit 0
  for second in 1 2 3; do sleep 1; kill -s 0 "$program" || exit 0; done
  kill -s KILL "$program"
) &
exec 3<&-
exec "$@"
"#;

/// How often a wait for the end of a process looks.
const POLL: Duration = Duration::from_millis(20);

/// A running program, its log file, and the pipe that keeps it alive.
#[derive(Debug)]
pub struct Child {
    name: String,
    log: PathBuf,
    process: Process,
    pipe: Option<ChildStdin>,
    exit: Option<ExitStatus>,
}

impl Child {
    /// Starts `program` with `args` and the extra environment `env`; its output goes to the end of `log`.
    pub fn start(
        name: &str,
        program: &Path,
        args: &[String],
        env: &[(String, String)],
        log: &Path,
    ) -> Result<Self> {
        let file = File::options()
            .create(true)
            .append(true)
            .open(log)
            .with_context(|| format!("open the log {} of {name}", log.display()))?;
        let both = file.try_clone().with_context(|| format!("share the log of {name}"))?;
        let mut process = Command::new("sh")
            .arg("-c")
            .arg(WATCH)
            .arg(name)
            .arg(program)
            .args(args)
            .envs(env.iter().map(|(k, v)| (k, v)))
            .stdin(Stdio::piped())
            .stdout(file)
            .stderr(both)
            .process_group(0)
            .spawn()
            .with_context(|| format!("start {name} ({})", program.display()))?;
        let pipe = process.stdin.take();
        Ok(Self { name: name.to_owned(), log: log.to_owned(), process, pipe, exit: None })
    }

    /// The program's process id.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// The name it was started under.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where its output goes.
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// Its exit status, if it has ended.
    pub fn exited(&mut self) -> Option<ExitStatus> {
        if self.exit.is_none()
            && let Ok(Some(status)) = self.process.try_wait()
        {
            self.reaped(status);
        }
        self.exit
    }

    /// Fails, with the end of its log, if it has ended.
    pub fn must_run(&mut self) -> Result<()> {
        match self.exited() {
            None => Ok(()),
            Some(status) => {
                bail!("{} ended with {status}; its log ends:\n{}", self.name, tail(&self.log, 25))
            }
        }
    }

    /// Sends a signal by name (`STOP`, `CONT`, `TERM`, ...). The `kill` of the shell is used: the program of that
    /// name is a package of its own on small images.
    pub fn signal(&mut self, signal: &str) -> Result<()> {
        if self.exited().is_some() {
            bail!("send SIG{signal} to {}: it has ended", self.name);
        }
        let status = Command::new("sh")
            .args(["-c", "kill -s \"$1\" \"$2\"", "kill", signal, &self.pid().to_string()])
            .status()
            .with_context(|| format!("send SIG{signal} to {}", self.name))?;
        if !status.success() {
            bail!("send SIG{signal} to {}: kill ended with {status}", self.name);
        }
        Ok(())
    }

    /// SIGSTOP, and waits until it has really stopped.
    ///
    /// The signal is only queued when `kill` returns: until the process is scheduled next, it may still send what
    /// it was about to send, and a SIGTERM that follows at once ends it as if it had never been stopped.
    pub fn freeze(&mut self) -> Result<()> {
        self.signal("STOP")?;
        let stat = PathBuf::from(format!("/proc/{}/stat", self.pid()));
        let until = Deadline::after(Duration::from_secs(5));
        // Where there is no /proc, the signal alone must do.
        while let Ok(text) = fs::read_to_string(&stat) {
            if text.contains(") T ") {
                break;
            }
            if until.passed() {
                bail!("freeze {}: it does not stop", self.name);
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }

    /// SIGCONT.
    pub fn thaw(&mut self) -> Result<()> {
        self.signal("CONT")
    }

    /// Waits until it has ended by itself.
    pub async fn wait(&mut self, deadline: Duration) -> Result<ExitStatus> {
        let until = Deadline::after(deadline);
        loop {
            if let Some(status) = self.exited() {
                return Ok(status);
            }
            if until.passed() {
                bail!("{} still runs after {deadline:?}; its log ends:\n{}", self.name, tail(&self.log, 25));
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// SIGTERM, then the time `deadline` to end. What has not ended by then is an error; the drop kills it.
    pub async fn stop(&mut self, deadline: Duration) -> Result<ExitStatus> {
        if let Some(status) = self.exited() {
            return Ok(status);
        }
        self.signal("TERM")?;
        self.wait(deadline).await
    }

    /// SIGKILL, and the end is awaited (a killed process is gone in no time).
    pub fn kill(&mut self) {
        if self.exited().is_none() {
            // It fails only where the process has ended in between, and then the wait tells its status.
            let _ = self.process.kill();
            if let Ok(status) = self.process.wait() {
                self.reaped(status);
            }
        }
    }

    fn reaped(&mut self, status: ExitStatus) {
        self.exit = Some(status);
        if let Some(mut pipe) = self.pipe.take() {
            // The watcher may be gone with its process group; then there is nobody to tell.
            let _ = pipe.write_all(b"reaped\n");
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The last `lines` lines of a log, or why it cannot be read.
pub fn tail(log: &Path, lines: usize) -> String {
    match fs::read(log) {
        Ok(bytes) => {
            let text = String::from_utf8_lossy(&bytes);
            let all: Vec<&str> = text.lines().collect();
            all[all.len().saturating_sub(lines)..].join("\n")
        }
        Err(error) => format!("({}: {error})", log.display()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("avnm-child-{name}-{}.log", std::process::id()))
    }

    fn sh(name: &str, script: &str) -> (Child, PathBuf) {
        let log = log(name);
        let _ = fs::remove_file(&log);
        let args = ["-c".to_owned(), script.to_owned()];
        (Child::start(name, Path::new("sh"), &args, &[], &log).unwrap(), log)
    }

    /// Signal 0 asks whether the process is there; a zombie is, so the state is read as well.
    fn alive(pid: u32) -> bool {
        fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
    }

    #[tokio::test]
    async fn output_and_exit_status_are_the_programs_own() {
        let (mut child, log) = sh("own", "echo out; echo err >&2; exit 7");
        assert_eq!(child.wait(Duration::from_secs(5)).await.unwrap().code(), Some(7));
        assert_eq!(tail(&log, 5), "out\nerr");
        assert!(child.must_run().unwrap_err().to_string().contains("err"));
        fs::remove_file(log).unwrap();
    }

    #[tokio::test]
    async fn a_dropped_child_is_gone() {
        let (child, log) = sh("drop", "exec sleep 60");
        let pid = child.pid();
        assert!(alive(pid));
        drop(child);
        assert!(!alive(pid));
        fs::remove_file(log).unwrap();
    }

    #[tokio::test]
    async fn a_frozen_child_is_stopped_and_goes_on() {
        let (mut child, log) = sh("freeze", "exec sleep 60");
        child.freeze().unwrap();
        assert!(child.stop(Duration::from_millis(200)).await.is_err(), "a frozen process cannot end");
        child.thaw().unwrap();
        assert!(!child.wait(Duration::from_secs(5)).await.unwrap().success());
        fs::remove_file(log).unwrap();
    }

    #[tokio::test]
    async fn when_the_pipe_closes_the_program_ends_even_if_it_ignores_sigterm() {
        let (mut child, log) = sh("pipe", "trap '' TERM; while :; do sleep 1; done");
        tokio::time::sleep(Duration::from_millis(200)).await;
        drop(child.pipe.take());
        let status = child.wait(Duration::from_secs(10)).await.unwrap();
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9));
        fs::remove_file(log).unwrap();
    }

    const HOLDER: &str = "AVNM_CHILD_TEST_HOLDER";

    /// Not a test by itself: the next one starts this program again with only this in it, and kills it.
    #[test]
    fn holder() {
        let Some(note) = std::env::var_os(HOLDER) else { return };
        let (child, _) = sh("held", "exec sleep 60");
        fs::write(note, child.pid().to_string()).unwrap();
        std::thread::sleep(Duration::from_secs(60));
    }

    #[tokio::test]
    async fn a_child_ends_when_its_holder_is_killed() {
        let note = log("note");
        let mut holder = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child::tests::holder"])
            .env(HOLDER, &note)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let until = Deadline::after(Duration::from_secs(20));
        let pid: u32 = loop {
            if let Some(pid) = fs::read_to_string(&note).ok().and_then(|text| text.parse().ok()) {
                break pid;
            }
            assert!(!until.passed(), "the holder started no child");
            tokio::time::sleep(POLL).await;
        };
        assert!(alive(pid));
        holder.kill().unwrap();
        holder.wait().unwrap();
        while alive(pid) {
            assert!(!until.passed(), "the child outlived its holder");
            tokio::time::sleep(POLL).await;
        }
        fs::remove_file(note).unwrap();
    }
}
