using Orderwright.Contracts;
using Orderwright.Hosting;
using Orderwright.Runtime;

namespace Orderwright.EndToEnd;

/// <summary>A process ends when a service in it is half dead, so that whoever watches over it starts it again.</summary>
public class HostDeathTests
{
    sealed class Module(string name, params BackgroundLoop[] loops) : IServiceModule
    {
        public string Name => name;

        public ServiceParts Build(ServiceContext context) => new() { Loops = loops };
    }

    static readonly BackgroundLoop Fragile = new("fragile", _ => throw new InvalidOperationException("It broke."));

    [Fact]
    public async Task A_service_that_dies_while_another_still_waits_for_its_database_ends_the_process()
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
    public async Task A_service_that_dies_before_its_transport_was_ever_reached_ends_the_process()
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
