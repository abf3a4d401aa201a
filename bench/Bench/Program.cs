using System.CommandLine;
using Orderwright.Bench;

return await BenchCommand.Create().Parse(args).InvokeAsync();
