using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Logging.Abstractions;
using Orderwright.LocalServers;
using Orderwright.Runtime;
using Orderwright.Runtime.Transport;
using Orderwright.Transport.RabbitMq;

namespace Orderwright.Conformance.Transport;

/// <summary>Connections with TLS, and addresses of several nodes.</summary>
public sealed class RabbitMqTlsTests : IDisposable
{
    const string Service = "stock-service";

    readonly string directory = Path.Combine(Path.GetTempPath(), $"orderwright-tls-{Guid.NewGuid():N}");

    public void Dispose()
    {
        if (Directory.Exists(directory)) Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public async Task A_node_is_verified_by_the_authority_of_a_file()
    {
        Machine.Require(Machine.LacksRabbitMq);
        var certificates = TestCertificates.Write(directory);
        var port = ServerProcess.FreePort();
        await using var node = await PrivateRabbitMq.StartAsync(
            Path.Combine(directory, "node"), settings:
            [
                $"listeners.ssl.local = 127.0.0.1:{port}", $"ssl_options.certfile = {certificates.Server}",
                $"ssl_options.keyfile = {certificates.ServerKey}", $"ssl_options.cacertfile = {certificates.Authority}",
            ]);
        var address = node.Url.Replace("amqp://", "amqps://", StringComparison.Ordinal)
            .Replace($":{node.Port}", $":{port}", StringComparison.Ordinal);
        await using (var transport = Open($"{address}?cacertfile={certificates.Authority}"))
        await using (var inbox = await transport.OpenInboxAsync(Service, default))
        {
            // The node opens this port after its other one.
            await Waiting.RetryAsync<bool, PublishFailedException>(async () =>
            {
                await transport.PublishAsync(Service, [Samples.One()], default);
                return true;
            });
            Assert.Single(await inbox.ReceiveAsync(1, Waiting.NewLimit()));
        }
        await RefusedAsync($"{address}?cacertfile={certificates.OtherAuthority}");
        // Without a file the authorities of the machine count, which do not know this one.
        await RefusedAsync(address);
        // The certificate names 127.0.0.1 only.
        await RefusedAsync(
            $"{address.Replace("127.0.0.1", "localhost", StringComparison.Ordinal)}?cacertfile={certificates.Authority}");

        static async Task RefusedAsync(string address)
        {
            await using var transport = Open(address);
            await Waiting.UntilAsync(() => transport.Trouble?.Contains("cannot be reached", StringComparison.Ordinal) == true);
        }
    }

    [Theory]
    [InlineData("amqp://u:p%40@mq1,mq2:5673,[::1]:5674/shop%2f1", "mq1:5672, mq2:5673, ::1:5674", "u", "p@", "shop/1")]
    [InlineData("amqps://u:p@mq1,mq2", "mq1:5671, mq2:5671", "u", "p", "/")]
    [InlineData("amqp://mq", "mq:5672", "guest", "guest", "/")]
    public void An_address_names_one_or_more_nodes(string text, string nodes, string user, string password, string virtualHost)
    {
        var address = RabbitMqAddress.Parse(text);
        Assert.Equal((nodes, user, password, virtualHost), (address.Nodes, address.User, address.Password, address.VirtualHost));
    }

    [Theory]
    [InlineData("http://mq/", "no amqp://")]
    [InlineData("amqp://u@mq/", "without a password")]
    [InlineData("amqp://mq/a/b", "more than one virtual host")]
    [InlineData("amqp://mq1,/", "names the node")]
    [InlineData("amqp://mq:0/", "names the node")]
    [InlineData("amqps://mq/?verify=none", "cacertfile=FILE")]
    [InlineData("amqp://mq/?cacertfile=x", "needs amqps://")]
    [InlineData("amqps://mq/?cacertfile=/none.pem", "cannot be read")]
    public void A_wrong_address_is_refused(string text, string why)
    {
        var options = new RabbitMqOptions { Url = text };
        var error = Assert.Throws<ValidationException>(() => Open(options));
        Assert.Contains(why, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_cluster_without_quorum_queues_is_refused() =>
        Assert.Contains(
            "quorum queues are off",
            Assert.Throws<ValidationException>(() => Open(
                new RabbitMqOptions { Url = "amqp://u:p@mq1,mq2/", QuorumQueues = false })).Message,
            StringComparison.Ordinal);

    static RabbitMqTransport Open(string address) => Open(new RabbitMqOptions { Url = address });

    static RabbitMqTransport Open(RabbitMqOptions options) =>
        new(options, new RuntimeOptions(), TimeProvider.System, NullLoggerFactory.Instance);
}
