using System.Globalization;

namespace Orderwright.Bench;

/// <summary>
/// CPU seconds and memory of process trees, out of /proc. A tree counts its living processes and what its dead ones used,
/// so that PostgreSQL's backends and workers, which come and go, are all in it.
/// </summary>
static class ProcessorTime
{
    const double TicksPerSecond = 100; // USER_HZ: the same on every Linux.

    sealed record Entry(int Id, int Parent, double Seconds);

    /// <summary>
    /// User and system time since each was started; processes of one name are summed. This very process counts alone: what
    /// it started goes by names of its own.
    /// </summary>
    public static Dictionary<string, double> Of(IReadOnlyList<(string Name, int Id)> processes)
    {
        var entries = All();
        return processes.GroupBy(process => process.Name).ToDictionary(
            group => group.Key,
            group => group.Sum(process => process.Id == Environment.ProcessId
                ? Environment.CpuUsage.TotalTime.TotalSeconds
                : Tree(entries, process.Id).Sum(entry => entry.Seconds)));
    }

    /// <summary>Seconds that all CPUs together were busy, or were taken by the host of this virtual machine.</summary>
    public static double OfMachine()
    {
        // user nice system idle iowait irq softirq steal
        var fields = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries)[1..9];
        return fields.Select(Seconds).Sum() - Seconds(fields[3]) - Seconds(fields[4]);
    }

    /// <summary>
    /// Megabytes of memory by name: of a service as the kernel shows it (RSS), or its peak so far. PostgreSQL and RabbitMQ
    /// are several processes; pages that they share are counted once (PSS), and they have no peak.
    /// </summary>
    public static Dictionary<string, double> Memory(IReadOnlyList<(string Name, int Id)> processes, bool peak)
    {
        var entries = All();
        return processes.GroupBy(process => process.Name).ToDictionary(group => group.Key, group => group.Sum(process =>
            Tree(entries, process.Id).ToList() is { Count: > 1 } tree
                ? tree.Sum(entry => Megabytes($"/proc/{entry.Id}/smaps_rollup", "Pss:"))
                : Megabytes($"/proc/{process.Id}/status", peak ? "VmHWM:" : "VmRSS:")));
    }

    static double Megabytes(string file, string field)
    {
        try
        {
            var line = File.ReadLines(file).First(line => line.StartsWith(field, StringComparison.Ordinal));
            var kilobytes = line.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1];
            return long.Parse(kilobytes, CultureInfo.InvariantCulture) / 1024d;
        }
        catch (IOException)
        {
            return 0; // It ended while we looked.
        }
    }

    static Dictionary<int, Entry> All()
    {
        var found = new Dictionary<int, Entry>();
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), out var id)) continue;
            try
            {
                // After the name, which may hold blanks: 2 = parent, 12-15 = own and reaped children's user and system time.
                var fields = File.ReadAllText($"{folder}/stat").Split(") ")[^1].Split(' ');
                found[id] = new Entry(
                    id, int.Parse(fields[1], CultureInfo.InvariantCulture),
                    fields[11..15].Sum(Seconds));
            }
            catch (IOException)
            {
                // It ended while we looked; its parent has its time.
            }
        }
        return found;
    }

    static IEnumerable<Entry> Tree(Dictionary<int, Entry> entries, int root)
    {
        if (!entries.TryGetValue(root, out var entry)) yield break;
        yield return entry;
        foreach (var child in entries.Values.Where(other => other.Parent == root))
            foreach (var below in Tree(entries, child.Id))
                yield return below;
    }

    static double Seconds(string ticks) => long.Parse(ticks, CultureInfo.InvariantCulture) / TicksPerSecond;
}
