using Orderwright.Contracts;
using Orderwright.Hosting;
using Orderwright.Runtime;

namespace Orderwright.EndToEnd;

/// <summary>A process ends when one of its services fails, so that its supervisor restarts it.</summary>
public class HostDeathTests
{
    sealed class Module(string name, params BackgroundLoop[] loops) : IServiceModule
    {
        public string Name => name;

        public ServiceParts Build(ServiceContext context) => new() { Loops = loops };
    }

    static readonly BackgroundLoop Fragile = new("fragile", _ => throw new InvalidOperationException("It broke."));

    [Fact]
    public async Task A_failed_service_ends_the_process_while_another_waits_for_its_database()
    {
        var data = HttpHost.NewDirectory();
        try
        {
            var exitCode = await ServiceHost.RunAsync(
                [
                    "--data", data, "--port", "0", "--log", "error",
                    "--database-order", "postgres://nobody:nothing@127.0.0.1:1/nowhere",
                ],
                new Module(ServiceNames.Order), new Module(ServiceNames.Stock, Fragile)).WaitAsync(Waiting.HangLimit);
            Assert.Equal(1, exitCode);
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }

    [Fact]
    public async Task A_failed_service_ends_the_process_before_the_broker_was_reached()
    {
        var data = HttpHost.NewDirectory();
        try
        {
            var exitCode = await ServiceHost.RunAsync(
                ["--data", data, "--port", "0", "--log", "error", "--transport", "amqp://nobody:nothing@127.0.0.1:1/"],
                new Module(ServiceNames.Stock, Fragile)).WaitAsync(Waiting.HangLimit);
            Assert.Equal(1, exitCode);
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }
}
