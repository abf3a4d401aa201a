using System.CommandLine;
using Orderwright.Bench;

// After a Ctrl+C there are services and servers to bring to their ends.
return await BenchCommand.Create().Parse(args).InvokeAsync(
    new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromMinutes(1) });
