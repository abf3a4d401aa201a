namespace Orderwright.Cli.Import;

/// <summary>
/// Runs operations concurrently unless order matters. An operation waits for all predecessors, for earlier users of exclusive
/// keys, and for the latest exclusive user of shared keys. The outcome therefore does not depend on timing or interruptions.
/// </summary>
sealed class Schedule(int inFlight)
{
    // Keeps the slots filled while a chain of operations waits for one key.
    const int LookAhead = 4_096;

    public async Task RunAsync(
        IReadOnlyList<Operation> operations, Func<int, CancellationToken, Task> run, CancellationToken cancel)
    {
        using var failed = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        using var slots = new SemaphoreSlim(inFlight);
        using var ahead = new SemaphoreSlim(LookAhead);
        var all = new Task[operations.Count];
        var alone = new Dictionary<string, int>();
        var beside = new Dictionary<string, List<int>>();
        for (var i = 0; i < operations.Count && !failed.IsCancellationRequested; i++)
        {
            // Not cancellable: a cancelled operation ends and releases its slot.
            await ahead.WaitAsync(CancellationToken.None);
            var before = Before(operations[i]).Distinct().Select(place => all[place])
                .Where(task => !task.IsCompletedSuccessfully).ToArray();
            all[i] = RunAsync(i, before);
            Note(operations[i], i);
        }
        await Task.WhenAll(all.Where(task => task is not null));

        IEnumerable<int> Before(Operation operation) =>
            operation.After
                .Concat(operation.Alone.Concat(operation.Beside).Where(alone.ContainsKey).Select(key => alone[key]))
                .Concat(operation.Alone.Where(beside.ContainsKey).SelectMany(key => beside[key]));

        void Note(Operation operation, int place)
        {
            foreach (var key in operation.Alone)
            {
                alone[key] = place;
                beside.Remove(key);
            }
            foreach (var key in operation.Beside)
            {
                if (!beside.TryGetValue(key, out var others)) beside.Add(key, others = []);
                others.Add(place);
            }
        }

        async Task RunAsync(int place, Task[] before)
        {
            try
            {
                await Task.WhenAll(before);
                await slots.WaitAsync(failed.Token);
                try
                {
                    await run(place, failed.Token);
                }
                finally
                {
                    slots.Release();
                }
            }
            catch
            {
                await failed.CancelAsync();
                throw;
            }
            finally
            {
                ahead.Release();
            }
        }
    }
}
