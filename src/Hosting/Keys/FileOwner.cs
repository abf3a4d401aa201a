using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Orderwright.Hosting.Keys;

/// <summary>
/// Owner and mode of a file, to be given to its replacement: a service that may read the old file must be able to read the
/// new one. Owners are known on Linux only; elsewhere the mode alone is kept, and on Windows the directory decides.
/// </summary>
static class FileOwner
{
    const int CurrentDirectory = -100;
    const uint OwnerAndGroup = 0x8 | 0x10;

    // The first fields of Linux's struct statx, which has the same form on every architecture.
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    struct Status
    {
        [FieldOffset(20)]
        public uint User;

        [FieldOffset(24)]
        public uint Group;
    }

    /// <summary>Throws <see cref="IOException"/> if the replacement cannot get the owner of the original.</summary>
    public static void Copy(string original, string replacement)
    {
        if (OperatingSystem.IsWindows()) return;
        if (OperatingSystem.IsLinux())
        {
            var (before, after) = (Of(original), Of(replacement));
            if ((before.User, before.Group) != (after.User, after.Group)
                && chown(replacement, before.User, before.Group) != 0)
                throw new IOException(
                    $"{original} belongs to the user {before.User} and the group {before.Group}, and its replacement " +
                    $"cannot: {new Win32Exception(Marshal.GetLastPInvokeError()).Message}. Run this command as that user.");
        }
        // After the change of the owner, which may clear bits of the mode.
        File.SetUnixFileMode(replacement, File.GetUnixFileMode(original));
    }

    static Status Of(string path) => statx(CurrentDirectory, path, 0, OwnerAndGroup, out var status) == 0
        ? status
        : throw new IOException($"{path}: {new Win32Exception(Marshal.GetLastPInvokeError()).Message}");

    [DllImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int statx(
        int directory, [MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags, uint mask, out Status status);

    [DllImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int chown([MarshalAs(UnmanagedType.LPUTF8Str)] string path, uint user, uint group);
}
