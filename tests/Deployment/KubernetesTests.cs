using System.Text.RegularExpressions;
using k8s.Models;

namespace Orderwright.Deployment;

/// <summary>The kustomize files and the Helm chart, rendered without a cluster.</summary>
public sealed partial class KubernetesTests
{
    const string Chart = "deploy/helm/orderwright";

    static readonly string[] Services = ["saga-coordinator", "order-service", "customer-service", "stock-service"];

    static readonly string[] Everything = [];
    static readonly string[] Least =
    [
        "--set", "autoscaling.enabled=false", "--set", "podDisruptionBudget.enabled=false", "--set", "migration.enabled=false",
        "--set", "networkPolicy.enabled=false", "--set", "replicas=1",
    ];

    public static TheoryData<string> Renderings => ["base", "production", "small", "chart", "least chart"];

    [Theory]
    [MemberData(nameof(Renderings))]
    public async Task Two_schemas_accept_every_object(string rendering) =>
        Assert.Empty(await (await RenderAsync(rendering)).FaultsAsync());

    [Fact]
    public async Task Each_schema_finds_a_planted_fault()
    {
        var good = await TextAsync("base");
        var unknown = good.Replace("readOnlyRootFilesystem:", "readonlyRoot:", StringComparison.Ordinal);
        Assert.Contains(
            await new Manifests(unknown).FaultsAsync(), fault => fault.Contains("readonlyRoot", StringComparison.Ordinal));
        var mistyped = good.Replace("periodSeconds: 2\n", "periodSeconds: often\n", StringComparison.Ordinal);
        Assert.Contains(
            await new Manifests(mistyped).FaultsAsync(), fault => fault.Contains("must be integer", StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Renderings))]
    public async Task Every_service_has_an_address_probes_and_a_memory_limit(string rendering)
    {
        var manifests = await RenderAsync(rendering);
        Assert.Equal(Services.Order(), manifests.Of<V1Deployment>().Select(deployment => deployment.Metadata.Name).Order());
        foreach (var deployment in manifests.Of<V1Deployment>())
        {
            var container = Assert.Single(deployment.Spec.Template.Spec.Containers);
            Assert.Equal("/health/ready", container.ReadinessProbe.HttpGet.Path);
            Assert.Equal("/health/live", container.LivenessProbe.HttpGet.Path);
            Assert.Equal("/health/live", container.StartupProbe.HttpGet.Path);
            Assert.NotNull(container.Resources.Limits["memory"]);
            var address = Assert.Single(
                manifests.Of<V1Service>(), service => service.Metadata.Name == deployment.Metadata.Name);
            var port = Assert.Single(container.Ports).ContainerPort;
            Assert.Equal(4000 + Array.IndexOf(Services, deployment.Metadata.Name), port);
            Assert.Equal(port, Assert.Single(address.Spec.Ports).Port);
            Assert.Equal($"http://0.0.0.0:{port}", container.Env.Single(env => env.Name == "ORDERWRIGHT_LISTEN").Value);
            // The labels of the pods are those that the address and the deployment look for.
            foreach (var (key, value) in address.Spec.Selector.Concat(deployment.Spec.Selector.MatchLabels))
                Assert.Equal(value, deployment.Spec.Template.Metadata.Labels[key]);
        }
    }

    [Theory]
    [MemberData(nameof(Renderings))]
    public async Task Every_pod_is_confined_and_reads_its_secrets_from_files(string rendering)
    {
        foreach (var (_, pod) in (await RenderAsync(rendering)).Pods)
        {
            var container = Assert.Single(pod.Containers);
            Assert.True(pod.SecurityContext.RunAsNonRoot);
            Assert.Equal("RuntimeDefault", pod.SecurityContext.SeccompProfile.Type);
            Assert.True(container.SecurityContext.ReadOnlyRootFilesystem);
            Assert.False(container.SecurityContext.AllowPrivilegeEscalation);
            Assert.Equal(["ALL"], container.SecurityContext.Capabilities.Drop);
            Assert.False(pod.AutomountServiceAccountToken);
            Assert.DoesNotContain(container.Env, variable => variable.ValueFrom is not null);
            var mounted = container.VolumeMounts.ToDictionary(mount => mount.Name, mount => mount.MountPath);
            foreach (var volume in pod.Volumes) Assert.True(mounted.ContainsKey(volume.Name), volume.Name);
            // A file named by a setting is in a mounted secret.
            foreach (var file in container.Env.Select(variable => variable.Value ?? ""))
                if (file.StartsWith("/run/", StringComparison.Ordinal))
                    Assert.Contains(Path.GetDirectoryName(file)!, mounted.Values);
        }
    }

    [Theory]
    [InlineData("production")]
    [InlineData("chart")]
    public async Task A_production_service_survives_evictions_and_grows_with_its_inbox(string rendering)
    {
        var manifests = await RenderAsync(rendering);
        Assert.Equal(Services.Order(), manifests.Of<V1PodDisruptionBudget>().Select(budget => budget.Metadata.Name).Order());
        Assert.Equal(Services.Order(), manifests.Of<V2HorizontalPodAutoscaler>().Select(scaler => scaler.Metadata.Name).Order());
        foreach (var scaler in manifests.Of<V2HorizontalPodAutoscaler>())
        {
            Assert.True(scaler.Spec.MinReplicas >= 2);
            Assert.Contains(scaler.Spec.Metrics, metric => metric.Pods?.Metric.Name == "orderwright_inbox_backlog");
        }
        Assert.Contains("orderwright_inbox_backlog", await ReadAsync("docs/reference/metrics.md"), StringComparison.Ordinal);
        Assert.NotEmpty(manifests.Of<V1NetworkPolicy>());
    }

    [Theory]
    [InlineData("base")]
    [InlineData("chart")]
    public async Task A_job_migrates_the_database_of_each_service_which_waits_for_it(string rendering)
    {
        var manifests = await RenderAsync(rendering);
        Assert.Equal(
            Services.Select(service => $"{service}-migrate").Order(),
            manifests.Of<V1Job>().Select(job => job.Metadata.Name).Order());
        foreach (var job in manifests.Of<V1Job>())
        {
            var container = job.Spec.Template.Spec.Containers[0];
            var service = job.Metadata.Name[..^"-migrate".Length];
            Assert.Equal(["migrate"], container.Args);
            Assert.Equal($"orderwright-{service}-owner", job.Spec.Template.Spec.Volumes[0].Secret.SecretName);
            var deployment = manifests.Of<V1Deployment>().Single(deployment => deployment.Metadata.Name == service);
            Assert.Equal(container.Image, deployment.Spec.Template.Spec.Containers[0].Image);
            Assert.Equal(
                "false",
                deployment.Spec.Template.Spec.Containers[0].Env.Single(env => env.Name == "ORDERWRIGHT_MIGRATE").Value);
        }
    }

    [Theory]
    [MemberData(nameof(Renderings))]
    public async Task Every_setting_exists_and_every_image_is_built(string rendering)
    {
        var settings = await ReadAsync("docs/reference/settings.md");
        var known = Setting().Matches(settings).Select(match => match.Value).ToHashSet();
        var targets = Target().Matches(await ReadAsync("deploy/Dockerfile")).Select(match => match.Groups[1].Value).ToHashSet();
        foreach (var (_, pod) in (await RenderAsync(rendering)).Pods)
        {
            var container = pod.Containers[0];
            foreach (var name in container.Env.Select(variable => variable.Name.Replace("_FILE", "", StringComparison.Ordinal)))
                Assert.Contains(name, known);
            Assert.Contains(container.Image.Split('/')[^1].Split(':')[0], targets);
        }
    }

    [Fact]
    public async Task Helm_has_no_complaint()
    {
        var (exit, output) = await Tools.HelmAsync("lint", "--strict", Chart);
        Assert.True(exit == 0, output);
    }

    [Theory]
    [InlineData("services.order-service.ports=1")]
    [InlineData("autoscaling.minReplicas=0")]
    [InlineData("settings.LOG=info")]
    public async Task A_wrong_value_is_refused(string value)
    {
        var (exit, output) = await Tools.HelmAsync("template", "orders", Chart, "--set", value);
        Assert.NotEqual(0, exit);
        Assert.Contains("schema", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_setting_of_a_service_wins_over_the_common_one()
    {
        var manifests = new Manifests(await HelmTextAsync(
            "--set", "settings.ORDERWRIGHT_LOG=warn", "--set", "services.order-service.settings.ORDERWRIGHT_LOG=debug"));
        Assert.Equal(
            ["debug", "warn", "warn", "warn"],
            manifests.Of<V1Deployment>()
                .Select(deployment => deployment.Spec.Template.Spec.Containers[0].Env)
                .Select(variables => variables.Single(variable => variable.Name == "ORDERWRIGHT_LOG").Value).Order());
    }

    static async Task<Manifests> RenderAsync(string rendering) => new(await TextAsync(rendering));

    static async Task<string> TextAsync(string rendering)
    {
        if (rendering == "chart") return await HelmTextAsync(Everything);
        if (rendering == "least chart") return await HelmTextAsync(Least);
        var (exit, output) = await Tools.KubectlAsync(
            "kustomize", rendering == "base" ? "deploy/k8s/base" : $"deploy/k8s/overlays/{rendering}");
        Assert.True(exit == 0, output);
        return output;
    }

    static async Task<string> HelmTextAsync(params string[] arguments)
    {
        var (exit, output) = await Tools.HelmAsync(["template", "orders", Chart, "--namespace", "shop", .. arguments]);
        Assert.True(exit == 0, output);
        return output;
    }

    static Task<string> ReadAsync(string path) => File.ReadAllTextAsync(Path.Combine(Tools.Root, path));

    [GeneratedRegex("ORDERWRIGHT_[A-Z_]+")]
    private static partial Regex Setting();

    [GeneratedRegex(@"^FROM \S+ AS (\S+)$", RegexOptions.Multiline)]
    private static partial Regex Target();
}
