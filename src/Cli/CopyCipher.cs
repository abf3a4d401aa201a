using System.Diagnostics;

namespace Orderwright.Cli;

/// <summary>
/// Encrypts or decrypts a copy with a program of the operator, such as age or gpg: a shell command that reads standard input and
/// writes standard output.
/// </summary>
static class CopyCipher
{
    /// <summary>Ending of the name of an encrypted copy.</summary>
    public const string Ending = ".encrypted";

    /// <summary>Passes a file through a command; the result is complete or missing.</summary>
    /// <param name="command">Shell command.</param>
    /// <param name="source">File to read.</param>
    /// <param name="target">File to write; an existing file is replaced.</param>
    /// <param name="cancel">Ends the command.</param>
    public static async Task RunAsync(string command, string source, string target, CancellationToken cancel)
    {
        var part = $"{target}.part";
        using var process = Process.Start(Start(command))!;
        try
        {
            await using var result = new FileStream(part, FileMode.Create, FileAccess.Write);
            var errors = process.StandardError.ReadToEndAsync(cancel);
            var reading = process.StandardOutput.BaseStream.CopyToAsync(result, cancel);
            await FeedAsync(process, source, cancel);
            await reading;
            await process.WaitForExitAsync(cancel);
            if (process.ExitCode != 0 || result.Length == 0)
                throw new ToolException(
                    Exit.Failed,
                    $"\"{command}\" ended with {process.ExitCode} and wrote {result.Length} bytes: {(await errors).Trim()}");
            await result.FlushAsync(cancel);
            result.Flush(flushToDisk: true);
        }
        catch
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
            File.Delete(part);
            throw;
        }
        File.Move(part, target, overwrite: true);
    }

    static ProcessStartInfo Start(string command)
    {
        var start = OperatingSystem.IsWindows()
            ? new ProcessStartInfo("cmd.exe") { ArgumentList = { "/c", command } }
            : new ProcessStartInfo("/bin/sh") { ArgumentList = { "-c", command } };
        start.RedirectStandardInput = start.RedirectStandardOutput = start.RedirectStandardError = true;
        return start;
    }

    static async Task FeedAsync(Process process, string source, CancellationToken cancel)
    {
        try
        {
            await using var file = File.OpenRead(source);
            await file.CopyToAsync(process.StandardInput.BaseStream, cancel);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // The command ended early; its exit code and its words say why.
        }
    }
}
