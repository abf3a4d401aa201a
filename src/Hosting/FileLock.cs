namespace Orderwright.Hosting;

/// <summary>
/// Exclusive lock on a file, held until disposed or until the process ends in any way. The file stays: deleting it would let
/// two processes lock two files of the same name.
/// </summary>
public sealed class FileLock : IDisposable
{
    const int LinuxWouldBlock = 11, MacWouldBlock = 35, WindowsSharingViolation = unchecked((int)0x80070020);

    static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    readonly FileStream file;

    FileLock(FileStream file) => this.file = file;

    /// <summary>Takes the lock; null while another process, or another part of this one, holds it.</summary>
    public static FileLock? TryTake(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        try
        {
            return new(new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (IOException error) when (error.HResult is LinuxWouldBlock or MacWouldBlock or WindowsSharingViolation)
        {
            return null;
        }
        catch (UnauthorizedAccessException error)
        {
            throw new IOException(error.Message, error);
        }
    }

    /// <summary>Waits for the lock; throws <see cref="IOException"/> after the limit.</summary>
    public static FileLock Take(string path, TimeSpan limit)
    {
        using var never = new ManualResetEventSlim();
        for (var waited = TimeSpan.Zero; ; waited += Pause)
        {
            if (TryTake(path) is { } taken) return taken;
            if (waited >= limit) throw new IOException($"{path} is locked by another process.");
            never.Wait(Pause);
        }
    }

    public void Dispose() => file.Dispose();
}
