using System.Diagnostics;

namespace Orderwright.EndToEnd;

/// <summary>A disk that can lose its power: an image on which a file system lies.</summary>
sealed class Disk : IDisposable
{
    readonly string directory = Directory.CreateTempSubdirectory("orderwright-disk-").FullName;

    string Image => Path.Combine(directory, "disk.img");

    string Copy => Path.Combine(directory, "after.img");

    string Ballast => Path.Combine(Folder, "ballast");

    public string Folder => Path.Combine(directory, "disk");

    public bool IsReal { get; private set; }

    public string? WhyNot { get; private set; }

    /// <param name="megabytes">Its size, where it can be a real one.</param>
    public static Disk Create(int megabytes = 256)
    {
        var disk = new Disk();
        Directory.CreateDirectory(disk.Folder);
        try
        {
            using (var image = File.Create(disk.Image)) image.SetLength((long)megabytes << 20);
            Programs.Run("mkfs.ext4", "-q", "-F", disk.Image);
            // No commit of the journal by itself while the test lasts: only what is synced is on the disk.
            Programs.Run("mount", "-o", "loop,commit=600", disk.Image, disk.Folder);
            disk.IsReal = true;
        }
        catch (Exception error) when (error is InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            disk.WhyNot = error.Message;
        }
        return disk;
    }

    /// <summary>Takes all the room that is left, until <see cref="Free"/>.</summary>
    public void Fill()
    {
        using var ballast = File.Create(Ballast);
        try
        {
            for (var block = new byte[1 << 16]; ; ballast.Flush(flushToDisk: true)) ballast.Write(block);
        }
        catch (IOException)
        {
            // No room is left.
        }
    }

    public void Free() => File.Delete(Ballast);

    /// <summary>What the disk holds now is what will be left. Nobody writes meanwhile.</summary>
    public void CutPower()
    {
        if (IsReal) Programs.Run("cp", "--sparse=always", Image, Copy);
        else CopyFiles(Folder, Copy, skip: "-shm");
    }

    /// <summary>The power is back. Everything that ran on the disk has ended.</summary>
    public void Restore()
    {
        if (IsReal)
        {
            Programs.Run("umount", Folder);
            Programs.Run("mount", "-o", "loop", Copy, Folder);
            return;
        }
        Directory.Delete(Folder, recursive: true);
        Directory.Move(Copy, Folder);
    }

    public void Dispose()
    {
        if (IsReal) Programs.Run("umount", Folder);
        Directory.Delete(directory, recursive: true);
    }

    static void CopyFiles(string from, string to, string skip)
    {
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            if (file.EndsWith(skip, StringComparison.Ordinal)) continue;
            var copy = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
    }
}

/// <summary>Programs of the system.</summary>
static class Programs
{
    /// <summary>Throws <see cref="InvalidOperationException"/> with what it complained of.</summary>
    public static void Run(string program, params string[] arguments)
    {
        using var run = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        var said = run.StandardError.ReadToEnd();
        run.WaitForExit();
        if (run.ExitCode != 0) throw new InvalidOperationException($"{program} {string.Join(' ', arguments)}: {said.Trim()}");
    }
}
