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

    /// <summary>User and system time since each was started; processes of one name are summed.</summary>
    public static Dictionary<string, double> Of(IReadOnlyList<(string Name, int Id)> processes)
    {
        var entries = All();
        return processes.GroupBy(process => process.Name).ToDictionary(
            group => group.Key,
            group => group.Sum(process => Tree(entries, process.Id).Sum(entry => entry.Seconds)));
    }

    /// <summary>Seconds that all CPUs together were busy or were taken by the host of this virtual machine.</summary>
    public static (double Busy, double Stolen) OfMachine()
    {
        // user nice system idle iowait irq softirq steal
        var fields = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries)[1..]
            .Select(field => long.Parse(field, CultureInfo.InvariantCulture) / TicksPerSecond).ToArray();
        return (fields[0] + fields[1] + fields[2] + fields[5] + fields[6], fields[7]);
    }

    /// <summary>
    /// Megabytes of memory by name: each page counted once, shared ones by their share (PSS), since PostgreSQL's processes
    /// all show the same shared buffers.
    /// </summary>
    public static Dictionary<string, double> Memory(IReadOnlyList<(string Name, int Id)> processes)
    {
        var entries = All();
        return processes.GroupBy(process => process.Name).ToDictionary(
            group => group.Key,
            group => Math.Round(group.Sum(process => Tree(entries, process.Id).Sum(entry => Proportional(entry.Id))), 1));
    }

    static double Proportional(int id)
    {
        try
        {
            var line = File.ReadLines($"/proc/{id}/smaps_rollup").First(line => line.StartsWith("Pss:", StringComparison.Ordinal));
            return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024d;
        }
        catch (Exception error) when (error is IOException or InvalidOperationException)
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
                    fields[11..15].Sum(field => long.Parse(field, CultureInfo.InvariantCulture)) / TicksPerSecond);
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
}
