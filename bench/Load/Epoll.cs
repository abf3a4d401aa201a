using System.ComponentModel;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Orderwright.Load;

/// <summary>
/// Linux's readiness list (epoll(7)), for a single thread that serves every connection. The cost that .NET's async sockets
/// add, a completion on the thread pool for each response, equals that of the whole exchange here.
/// </summary>
sealed class Epoll : IDisposable
{
    const int Add = 1;
    const int Readable = 1;
    const int Interrupted = 4;

    readonly int descriptor = epoll_create1(0);
    readonly Event[] events = new Event[512];

    // 12 bytes on x86-64, where the kernel packs the structure; 16 elsewhere.
    [StructLayout(LayoutKind.Sequential, Pack = 4)]
    struct Event
    {
        public uint Events;
        public int Number;
        public int Unused;
    }

    [StructLayout(LayoutKind.Sequential)]
    struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }

    /// <param name="socket">A non-blocking socket.</param>
    /// <param name="number">Number that <see cref="Wait"/> reports when the socket is readable.</param>
    public void Watch(Socket socket, int number)
    {
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64)
            throw new PlatformNotSupportedException("The load client knows epoll's layout on x86-64 only.");
        var entry = new Event { Events = Readable, Number = number };
        if (epoll_ctl(descriptor, Add, (int)socket.Handle, ref entry) != 0) throw new Win32Exception();
    }

    /// <summary>
    /// Waits for readable sockets and returns their number, 0 at the limit; <see cref="this"/> gives the sockets.
    /// </summary>
    /// <param name="limit">Precise to the tick: a due request is not sent a millisecond late.</param>
    public int Wait(TimeSpan limit)
    {
        var time = new TimeSpec
        {
            Seconds = limit.Ticks / TimeSpan.TicksPerSecond,
            Nanoseconds = limit.Ticks % TimeSpan.TicksPerSecond * TimeSpan.NanosecondsPerTick,
        };
        while (true)
        {
            var count = epoll_pwait2(descriptor, events, events.Length, ref time, IntPtr.Zero);
            if (count >= 0) return count;
            if (Marshal.GetLastPInvokeError() != Interrupted) throw new Win32Exception();
        }
    }

    public int this[int index] => events[index].Number;

    public void Dispose() => _ = close(descriptor);

    [DllImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int epoll_create1(int flags);

    [DllImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int epoll_ctl(int epoll, int operation, int descriptor, ref Event entry);

    [DllImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int epoll_pwait2(int epoll, [Out] Event[] events, int most, ref TimeSpec limit, IntPtr signals);

    [DllImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int close(int descriptor);
}
