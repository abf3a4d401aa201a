namespace Orderwright.Cli.Import;

/// <summary>
/// Runs operations side by side where order does not matter, and in the order of the plan where it does: an operation
/// waits until all that it comes after, and all earlier ones that share a scarce key with it, have come to their end.
/// So the outcome is the same however fast each is, and whatever breaks in between.
/// </summary>
sealed class Schedule(int inFlight)
{
    // Far enough ahead that slots stay filled behind a chain of operations on one scarce key.
    const int LookAhead = 4_096;

    public async Task RunAsync(
        IReadOnlyList<Operation> operations, Func<int, CancellationToken, Task> run, CancellationToken cancel)
    {
        using var failed = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        using var slots = new SemaphoreSlim(inFlight);
        using var ahead = new SemaphoreSlim(LookAhead);
        var all = new Task[operations.Count];
        var latest = new Dictionary<string, int>();
        for (var i = 0; i < operations.Count && !failed.IsCancellationRequested; i++)
        {
            // Not cancellable: what runs ends when it is cancelled, and gives its place back.
            await ahead.WaitAsync(CancellationToken.None);
            var operation = operations[i];
            var before = operation.After.Concat(operation.Scarce.Where(latest.ContainsKey).Select(key => latest[key])).Distinct()
                .Select(place => all[place]).Where(task => !task.IsCompletedSuccessfully).ToArray();
            all[i] = RunAsync(i, before);
            foreach (var key in operation.Scarce) latest[key] = i;
        }
        await Task.WhenAll(all.Where(task => task is not null));

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
