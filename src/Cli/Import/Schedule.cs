namespace Orderwright.Cli.Import;

/// <summary>
/// Runs operations side by side where order does not matter, and in the order of the plan where it does. An operation
/// waits for the end of those it names; of all earlier ones that touch a key which it must have alone; and of the latest
/// that had alone a key which it touches beside others. So the outcome is the same however fast each is, and whatever
/// breaks in between.
/// </summary>
sealed class Schedule(int inFlight)
{
    // Far enough ahead that slots stay filled while a chain of operations waits for one key.
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
            // Not cancellable: what runs ends when it is cancelled, and gives its place back.
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
