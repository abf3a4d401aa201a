using System.Diagnostics;

namespace Orderwright.EndToEnd;

/// <summary>A disk that can lose its power: a file system in an image file.</summary>
sealed class Disk : IDisposable
{
    readonly string directory = Directory.CreateTempSubdirectory("orderwright-disk-").FullName;

    string Image => Path.Combine(directory, "disk.img");

    string Copy => Path.Combine(directory, "after.img");

    string Ballast => Path.Combine(Folder, "ballast");

    public string Folder => Path.Combine(directory, "disk");

    public bool IsReal { get; private set; }

    public string? WhyNot { get; private set; }

    /// <param name="megabytes">Size of the file system, where mounting is possible.</param>
    public static Disk Create(int megabytes = 256)
    {
        var disk = new Disk();
        Directory.CreateDirectory(disk.Folder);
        try
        {
            using (var image = File.Create(disk.Image)) image.SetLength((long)megabytes << 20);
            Programs.Run("mkfs.ext4", "-q", "-F", disk.Image);
            // The file system's journal does not commit by itself during the test, so only synced data reach the disk.
            Programs.Run("mount", "-o", "loop,commit=600", disk.Image, disk.Folder);
            disk.IsReal = true;
        }
        catch (Exception error) when (error is InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            disk.WhyNot = error.Message;
        }
        return disk;
    }

    /// <summary>Fills the remaining space until <see cref="Free"/>.</summary>
    public void Fill()
    {
        using var ballast = File.Create(Ballast);
        try
        {
            for (var block = new byte[1 << 16]; ; ballast.Flush(flushToDisk: true)) ballast.Write(block);
        }
        catch (IOException)
        {
            // The disk is full.
        }
    }

    public void Free() => File.Delete(Ballast);

    /// <summary>
    /// Freezes the current content of the disk as the content after the power cut. No process may write meanwhile.
    /// </summary>
    public void CutPower()
    {
        if (IsReal) Programs.Run("cp", "--sparse=always", Image, Copy);
        else CopyFiles(Folder, Copy, skip: "-shm");
    }

    /// <summary>Restores the power. Every process on the disk must have ended.</summary>
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

/// <summary>Programs of the operating system.</summary>
static class Programs
{
    /// <summary>Runs a program; throws <see cref="InvalidOperationException"/> with its error output on failure.</summary>
    public static void Run(string program, params string[] arguments)
    {
        using var run = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        var errors = run.StandardError.ReadToEnd();
        run.WaitForExit();
        if (run.ExitCode != 0) throw new InvalidOperationException($"{program} {string.Join(' ', arguments)}: {errors.Trim()}");
    }
}
